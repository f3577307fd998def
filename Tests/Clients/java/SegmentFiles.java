import java.io.File;
import java.util.TreeMap;
import org.apache.kafka.common.record.FileRecords;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;

/** Reads the segment files that are its arguments with Kafka's own record classes. */
public class SegmentFiles {
  static void check(boolean condition, String text) {
    if (!condition) throw new RuntimeException(text);
  }

  public static void main(String[] paths) throws Exception {
    long records = 0;
    var codecs = new TreeMap<String, Integer>();
    for (String path : paths) {
      try (FileRecords file = FileRecords.open(new File(path), false)) {
        long next = -1;
        int position = 0;
        for (RecordBatch batch : file.batches()) {
          check(batch.magic() == RecordBatch.CURRENT_MAGIC_VALUE, path + ": magic");
          batch.ensureValid();
          check(next < 0 || batch.baseOffset() == next, path + ": offset after " + next);
          check(batch.partitionLeaderEpoch() >= 0, path + ": leader epoch");
          codecs.merge(batch.compressionType().name, 1, Integer::sum);
          long expected = batch.baseOffset();
          long latest = -1;
          for (Record record : batch) {
            record.ensureValid();
            check(record.offset() == expected++, path + ": offset " + record.offset());
            latest = Math.max(latest, record.timestamp());
            records++;
          }
          check(expected == batch.nextOffset(), path + ": last offset");
          check(latest == batch.maxTimestamp(), path + ": largest timestamp");
          next = batch.nextOffset();
          position += batch.sizeInBytes();
        }
        check(position == new File(path).length(), path + ": only " + position + " bytes of it");
      }
    }
    System.out.println(records + " records, batches by codec: " + codecs);
  }
}
