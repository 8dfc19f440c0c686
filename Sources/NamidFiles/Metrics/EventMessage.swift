/// The few fields of TensorBoard's `Event` message that scalars need, in protocol-buffer encoding.
struct EventMessage {
  private(set) var bytes: [UInt8] = []

  /// - Parameters:
  ///   - wallTime: Seconds since 1970.
  ///   - step: The training step, or nil for an event outside of training.
  init(wallTime: Double, step: Int?) {
    appendTag(1, .fixed64)
    appendLittleEndian(wallTime.bitPattern)
    if let step {
      appendTag(2, .varint)
      appendVarint(UInt64(bitPattern: Int64(step)))
    }
  }

  /// `Event.file_version`: what the file starts with.
  mutating func setFileVersion(_ version: String) { append(3, Array(version.utf8)) }

  /// `Event.summary`: values by name.
  mutating func setScalars(_ scalars: [(tag: String, value: Double)]) {
    var summary = EventMessage()
    for scalar in scalars {
      var value = EventMessage()
      value.append(1, Array(scalar.tag.utf8))
      value.appendTag(2, .fixed32)
      value.appendLittleEndian(Float(scalar.value).bitPattern)
      summary.append(1, value.bytes)
    }
    append(5, summary.bytes)
  }

  /// `Event.session_log` with status START: readers drop what earlier files say from this step on.
  mutating func setSessionStart() {
    var log = EventMessage()
    log.appendTag(1, .varint)
    log.appendVarint(1)
    append(7, log.bytes)
  }

  private init() {}

  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case bytes = 2
    case fixed32 = 5
  }

  private mutating func append(_ field: UInt64, _ content: [UInt8]) {
    appendTag(field, .bytes)
    appendVarint(UInt64(content.count))
    bytes += content
  }

  private mutating func appendTag(_ field: UInt64, _ type: WireType) {
    appendVarint(field << 3 | type.rawValue)
  }

  private mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func appendLittleEndian(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
