import CMkstoreShims
import Glibc

extension PosixFile {
  func send(to socket: Int32, from position: Int, count: Int) throws(DiskError) -> Int {
    var sent = 0
    while sent < count {
      var offset = off_t(position + sent)
      // Safe: `offset` is a local that the call updates; both descriptors outlive the call.
      let result = unsafe Glibc.sendfile(socket, fd, &offset, count - sent)
      if result > 0 {
        sent += result
      } else if result == 0 {
        return sent
      } else {
        let code = errno
        if code == EINTR { continue }
        if code == EAGAIN || code == EWOULDBLOCK { return sent }
        throw DiskError(.send, path, code: code)
      }
    }
    return sent
  }

  func sendDescriptor(for range: Range<Int>) throws(DiskError) -> Int32? {
    if try size() < range.upperBound { throw .cutShort(path) }
    return fd
  }
}
