import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeConfigsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidReplicationFactorException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's own Java client against a server whose address is the first argument; the second names
 * what to do. Fails with an exception where something is not as it must be.
 */
public class JavaClient {
  static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");
  static final Duration WAIT = Duration.ofSeconds(30);
  static String address;

  public static void main(String[] arguments) throws Exception {
    address = arguments[0];
    switch (arguments[1]) {
      case "round-trips" -> roundTrips();
      case "positions" -> positions();
      case "admin" -> admin();
      case "unsupported" -> unsupported();
      case "produce" -> produce(arguments[2]);
      case "write" -> write(Integer.parseInt(arguments[2]));
      case "read" -> read(arguments[2], Boolean.parseBoolean(arguments[3]));
      default -> throw new Failure("no command " + arguments[1]);
    }
    System.out.println("done");
  }

  // --- what is sent, and clients --------------------------------------------------------------

  static class Failure extends RuntimeException {
    Failure(String text) {
      super(text);
    }
  }

  static void check(boolean condition, String text) {
    if (!condition) throw new Failure(text);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] key(int index) {
    return index % 3 == 0 ? null : bytes("key " + index);
  }

  static byte[] value(int index) {
    return index % 5 == 0 ? null : bytes("value " + index);
  }

  static Map<String, Object> settings(Object... pairs) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", address);
    for (int index = 0; index < pairs.length; index += 2) {
      settings.put((String) pairs[index], pairs[index + 1]);
    }
    return settings;
  }

  static KafkaProducer<byte[], byte[]> producer(Object... pairs) {
    return new KafkaProducer<>(
        settings(pairs), new ByteArraySerializer(), new ByteArraySerializer());
  }

  static KafkaConsumer<byte[], byte[]> consumer(Object... pairs) {
    return new KafkaConsumer<>(
        settings(pairs), new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  /** The records from the current positions to the present ends. */
  static List<ConsumerRecord<byte[], byte[]>> rest(KafkaConsumer<byte[], byte[]> consumer) {
    Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
    List<ConsumerRecord<byte[], byte[]>> found = new ArrayList<>();
    long deadline = System.nanoTime() + WAIT.toNanos();
    while (ends.keySet().stream().anyMatch(place -> consumer.position(place) < ends.get(place))) {
      check(System.nanoTime() < deadline, "consumed " + found.size() + " in time");
      consumer.poll(Duration.ofMillis(500)).forEach(found::add);
    }
    return found;
  }

  /** What `call` throws, unwrapped; it must be a `kind`. */
  interface Call {
    Object run() throws Exception;
  }

  static void fails(Class<? extends Exception> kind, String what, Call call) {
    try {
      Object result = call.run();
      throw new Failure(what + ": no " + kind.getSimpleName() + ", but " + result);
    } catch (Failure failure) {
      throw failure;
    } catch (Exception error) {
      Throwable found = error instanceof ExecutionException ? error.getCause() : error;
      check(kind.isInstance(found), what + ": " + found);
    }
  }

  // --- produce and consume --------------------------------------------------------------------

  static void roundTrips() throws Exception {
    int count = 60;
    int rounds = 0;
    List<TopicPartition> places = List.of(new TopicPartition("t", 0), new TopicPartition("t", 1));
    try (Admin admin = Admin.create(settings())) {
      admin.createTopics(List.of(new NewTopic("t", 2, (short) 1))).all().get();
    }
    for (String codec : CODECS) {
      for (String[] mode :
          new String[][] {{"0", "false"}, {"1", "false"}, {"all", "false"}, {"all", "true"}}) {
        try (var producer =
            producer("compression.type", codec, "acks", mode[0], "enable.idempotence", mode[1],
                "linger.ms", 5)) {
          List<Future<RecordMetadata>> sent = new ArrayList<>();
          for (int index = 0; index < count; index++) {
            var record =
                new ProducerRecord<>(
                    "t", index % 2, 1_700_000_000_000L + index, key(index), value(index));
            record.headers().add("name", bytes("" + index)).add("name", bytes("again"));
            record.headers().add("null", null);
            sent.add(producer.send(record));
          }
          producer.flush();
          for (int index = 0; index < count; index++) {
            RecordMetadata told = sent.get(index).get(30, TimeUnit.SECONDS);
            long offset = mode[0].equals("0") ? -1 : (long) rounds * count / 2 + index / 2;
            check(told.offset() == offset, codec + " " + told + " instead of " + offset);
          }
        }
        rounds++;
        // Nobody is told when acks 0 is there, and the next producer has another connection.
        if (mode[0].equals("0")) ends(places, rounds * count / 2);
      }
    }
    for (Object[] how :
        new Object[][] {
          {"isolation.level", "read_committed", "check.crcs", true},
          {"max.partition.fetch.bytes", 100},
          {"fetch.max.bytes", 1, "check.crcs", false}
        }) {
      try (var consumer = consumer(how)) {
        consumer.assign(places);
        consumer.seekToBeginning(places);
        var found = rest(consumer);
        check(found.size() == rounds * count, found.size() + " records " + Arrays.toString(how));
        long[] next = new long[2];
        for (var record : found) {
          check(record.offset() == next[record.partition()]++, "in order: " + record);
          int index = (int) (record.offset() % (count / 2)) * 2 + record.partition();
          check(Arrays.equals(record.key(), key(index)), "key " + record);
          check(Arrays.equals(record.value(), value(index)), "value " + record);
          check(record.timestamp() == 1_700_000_000_000L + index, "timestamp " + record);
          Header[] headers = record.headers().toArray();
          check(headers.length == 3 && headers[0].key().equals("name")
                  && Arrays.equals(headers[0].value(), bytes("" + index))
                  && Arrays.equals(headers[1].value(), bytes("again"))
                  && headers[2].value() == null, "headers " + record);
        }
      }
    }
    tooLarge();
  }

  /** Waits until each partition ends at `offset`. */
  static void ends(List<TopicPartition> places, long offset) throws Exception {
    long deadline = System.nanoTime() + WAIT.toNanos();
    try (var consumer = consumer()) {
      while (!consumer.endOffsets(places).values().stream().allMatch(end -> end == offset)) {
        check(System.nanoTime() < deadline, "everything is there");
        Thread.sleep(20);
      }
    }
  }

  static void tooLarge() throws Exception {
    byte[] large = new byte[2_000_000];
    new Random(1).nextBytes(large);
    try (var producer = producer()) {
      fails(RecordTooLargeException.class, "refused by the client",
          () -> producer.send(new ProducerRecord<>("t", large)).get());
    }
    for (boolean idempotent : new boolean[] {false, true}) {
      try (var producer =
          producer("max.request.size", 9_000_000, "enable.idempotence", idempotent)) {
        fails(RecordTooLargeException.class, "refused by the server",
            () -> producer.send(new ProducerRecord<>("t", large)).get());
        producer.send(new ProducerRecord<>("t", bytes("goes on"))).get(30, TimeUnit.SECONDS);
      }
    }
    // A batch that is too large is split by the client, and comes in order.
    try (var producer =
        producer("max.request.size", 9_000_000, "batch.size", 1_040_000, "linger.ms", 500,
            "compression.type", "gzip")) {
      List<Future<RecordMetadata>> sent = new ArrayList<>();
      for (int index = 0; index < 30; index++) {
        sent.add(producer.send(
            new ProducerRecord<>("split", 0, null, Arrays.copyOf(large, 100_000 + index))));
      }
      for (int index = 0; index < sent.size(); index++) {
        check(sent.get(index).get(30, TimeUnit.SECONDS).offset() == index, "order after a split");
      }
    }
  }

  static void positions() throws Exception {
    TopicPartition place = new TopicPartition("numbers", 0);
    try (var producer = producer("batch.size", 0)) {
      for (int index = 0; index < 100; index++) {
        producer.send(new ProducerRecord<>("numbers", 0, 1000L + index, null, bytes("" + index)));
      }
    }
    try (var consumer = consumer("auto.offset.reset", "none")) {
      consumer.assign(List.of(place));
      check(consumer.partitionsFor("numbers").size() == 1, "partitionsFor");
      check(consumer.listTopics().containsKey("numbers"), "listTopics");
      check(consumer.beginningOffsets(List.of(place)).get(place) == 0, "beginning");
      check(consumer.endOffsets(List.of(place)).get(place) == 100, "end");
      OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(place, 1042L)).get(place);
      check(found.offset() == 42 && found.timestamp() == 1042
              && found.leaderEpoch().equals(Optional.of(0)), "by time: " + found);
      check(consumer.offsetsForTimes(Map.of(place, 5000L)).get(place) == null, "after all");
      consumer.seek(place, 93);
      check(rest(consumer).size() == 7, "from an offset");
      consumer.seekToEnd(List.of(place));
      check(consumer.position(place) == 100, "position at the end");
      consumer.seek(place, 1L << 40);
      fails(OffsetOutOfRangeException.class, "beyond the end", () -> consumer.poll(WAIT));
    }
    // A long poll is woken by the record; nobody waits for its 20 s.
    try (var consumer = consumer("fetch.max.wait.ms", 20_000)) {
      consumer.assign(List.of(place));
      consumer.seekToEnd(List.of(place));
      check(consumer.poll(Duration.ofMillis(200)).isEmpty(), "nothing behind the end");
      try (var producer = producer()) {
        producer.send(new ProducerRecord<>("numbers", bytes("woken"))).get();
      }
      check(consumer.poll(Duration.ofSeconds(15)).count() == 1, "woken");
      // Else it waits for the fetch that it has sent already.
      consumer.close(Duration.ZERO);
    }
    // A group's name does not hinder who says where to begin.
    try (var consumer = consumer("group.id", "g", "enable.auto.commit", false)) {
      consumer.assign(List.of(place));
      consumer.seekToBeginning(List.of(place));
      check(rest(consumer).size() == 101, "a group's name does not hinder");
      consumer.close(Duration.ZERO);
    }
  }

  // --- administration -------------------------------------------------------------------------

  static void admin() throws Exception {
    try (Admin admin = Admin.create(settings())) {
      var cluster = admin.describeCluster();
      check(!cluster.clusterId().get().isEmpty() && cluster.nodes().get().size() == 1, "cluster");
      int node = cluster.controller().get().id();
      var made = admin.createTopics(List.of(
          new NewTopic("a", 3, (short) 1).configs(Map.of("max.message.bytes", "100000")),
          new NewTopic("b", Optional.empty(), Optional.empty()),
          new NewTopic("c", Map.of(0, List.of(node), 1, List.of(node)))));
      made.all().get();
      check(made.numPartitions("a").get() == 3 && made.replicationFactor("b").get() == 1
              && made.config("a").get().get("max.message.bytes").value().equals("100000"), "made");
      fails(InvalidReplicationFactorException.class, "three replicas",
          () -> admin.createTopics(List.of(new NewTopic("d", 1, (short) 3))).all().get());
      fails(TopicExistsException.class, "twice",
          () -> admin.createTopics(List.of(new NewTopic("a", 1, (short) 1))).all().get());
      fails(InvalidTopicException.class, "name",
          () -> admin.createTopics(List.of(new NewTopic("a/b", 1, (short) 1))).all().get());
      admin.createPartitions(Map.of("a", NewPartitions.increaseTo(5))).all().get();
      fails(InvalidPartitionsException.class, "fewer partitions",
          () -> admin.createPartitions(Map.of("a", NewPartitions.increaseTo(2))).all().get());
      var described = admin.describeTopics(List.of("a")).allTopicNames().get().get("a");
      check(described.partitions().size() == 5, "" + described);
      check(described.topicId().equals(made.topicId("a").get()), "topic id");
      TopicCollection byId = TopicCollection.ofTopicIds(List.of(described.topicId()));
      check(admin.describeTopics(byId).allTopicIds().get().get(described.topicId()).name()
              .equals("a"), "by id");
      TopicCollection unknown = TopicCollection.ofTopicIds(List.of(Uuid.randomUuid()));
      fails(UnknownTopicIdException.class, "unknown id",
          () -> admin.describeTopics(unknown).allTopicIds().get());
      var topic = new ConfigResource(ConfigResource.Type.TOPIC, "a");
      var broker = new ConfigResource(ConfigResource.Type.BROKER, "" + node);
      var options = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
      var configs = admin.describeConfigs(List.of(topic, broker), options).all().get();
      check(configs.get(topic).get("max.message.bytes").value().equals("100000"), "config");
      check(configs.get(broker).get("num.partitions").value().equals("1"), "broker's config");
      var directories = admin.describeLogDirs(List.of(node)).allDescriptions().get().get(node);
      check(directories.values().iterator().next().replicaInfos()
              .containsKey(new TopicPartition("a", 4)), "log directories");
      try (var producer = producer()) {
        producer.send(new ProducerRecord<>("a", 0, 7000L, null, bytes("x"))).get();
        producer.send(new ProducerRecord<>("a", 0, 6000L, null, bytes("y"))).get();
      }
      TopicPartition place = new TopicPartition("a", 0);
      for (var asked : Map.of(OffsetSpec.earliest(), 0L, OffsetSpec.latest(), 2L,
          OffsetSpec.maxTimestamp(), 0L, OffsetSpec.forTimestamp(6500), 0L).entrySet()) {
        long found = admin.listOffsets(Map.of(place, asked.getKey())).all().get().get(place)
            .offset();
        check(found == asked.getValue(), asked.getKey().getClass() + ": " + found);
      }
      var deleted = admin.deleteRecords(Map.of(place, RecordsToDelete.beforeOffset(1)));
      check(deleted.lowWatermarks().get(place).get().lowWatermark() == 1, "delete records");
      var longer = new ConfigEntry("retention.ms", "100000000000000");
      admin.incrementalAlterConfigs(
          Map.of(topic, List.of(new AlterConfigOp(longer, AlterConfigOp.OpType.SET)))).all().get();
      var altered = admin.describeConfigs(List.of(topic)).all().get().get(topic);
      check(altered.get("retention.ms").value().equals(longer.value()), "altered: " + altered);
      admin.deleteTopics(List.of("b")).all().get();
      fails(UnknownTopicOrPartitionException.class, "deleted before",
          () -> admin.deleteTopics(List.of("b")).all().get());
      admin.deleteTopics(byId).all().get();
      check(admin.listTopics().names().get().equals(Set.of("c")), "left: c");
    }
  }

  /** What is not served says so at once, instead of making clients wait or ask for ever. */
  static void unsupported() throws Exception {
    TopicPartition place = new TopicPartition("t", 0);
    try (var producer = producer()) {
      producer.send(new ProducerRecord<>("t", 0, null, bytes("x"))).get();
    }
    try (Admin admin = Admin.create(settings())) {
      Map<String, Call> calls = Map.of(
          "list groups", () -> admin.listConsumerGroups().all().get(),
          "describe producers", () -> admin.describeProducers(List.of(place)).all().get());
      for (var call : calls.entrySet()) {
        fails(UnsupportedVersionException.class, call.getKey(), call.getValue());
      }
      fails(TransactionalIdAuthorizationException.class, "describe transactions",
          () -> admin.describeTransactions(List.of("x")).all().get());
    }
    try (var producer = producer("transactional.id", "x")) {
      fails(TransactionalIdAuthorizationException.class, "transactions", () -> {
        producer.initTransactions();
        return null;
      });
    }
  }

  // --- through restarts, and around rot -------------------------------------------------------

  /** Sends each line of standard input as a batch of its own. */
  static void produce(String topic) throws Exception {
    try (var producer = producer("batch.size", 0, "linger.ms", 0)) {
      var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        producer.send(new ProducerRecord<>(topic, bytes(line))).get(30, TimeUnit.SECONDS);
      }
    }
  }

  /**
   * Writes numbered records to "restarts" until a line comes on standard input; then every one
   * must have been acknowledged, with its own number as offset.
   */
  static void write(int least) throws Exception {
    BufferedReader input =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    try (var producer =
        producer("linger.ms", 1, "batch.size", 400, "reconnect.backoff.ms", 20,
            "reconnect.backoff.max.ms", 100, "retry.backoff.ms", 20, "compression.type", "lz4")) {
      System.out.println("writing");
      while (sent.size() < least || !input.ready()) {
        sent.add(producer.send(
            new ProducerRecord<>("restarts", 0, null, bytes("" + sent.size()))));
        if (sent.size() % 5 == 0) Thread.sleep(1);
        check(sent.size() < 10_000_000, "somebody says when to stop");
      }
      for (int index = 0; index < sent.size(); index++) {
        long offset = sent.get(index).get(60, TimeUnit.SECONDS).offset();
        check(offset == index, "record " + index + " got offset " + offset);
      }
    }
    TopicPartition place = new TopicPartition("restarts", 0);
    try (var consumer = consumer()) {
      consumer.assign(List.of(place));
      consumer.seekToBeginning(List.of(place));
      var found = rest(consumer);
      check(found.size() == sent.size(), found.size() + " records of " + sent.size());
      for (int index = 0; index < found.size(); index++) {
        check(Arrays.equals(found.get(index).value(), bytes("" + index)), "record " + index);
      }
    }
    System.out.println(sent.size() + " acknowledged records, each there once, in order");
  }

  /** Prints the offsets that a consumer gets, and where it fails; it skips what fails. */
  static void read(String topic, boolean checks) throws Exception {
    TopicPartition place = new TopicPartition(topic, 0);
    try (var consumer = consumer("check.crcs", checks, "auto.offset.reset", "none")) {
      consumer.assign(List.of(place));
      consumer.seekToBeginning(List.of(place));
      long end = consumer.endOffsets(List.of(place)).get(place);
      long next = 0;
      while (next < end) {
        try {
          for (var record : consumer.poll(WAIT)) {
            System.out.println(record.offset() + " "
                + new String(record.value(), StandardCharsets.UTF_8));
            next = record.offset() + 1;
          }
        } catch (KafkaException error) {
          Throwable cause = error.getCause() == null ? error : error.getCause();
          System.out.println(next + " failed: " + error + " / " + cause);
          next += 1;
          consumer.seek(place, next);
        }
      }
    }
  }
}
