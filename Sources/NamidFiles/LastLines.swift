import Foundation

/// The last lines of a text file that are not empty, from its last 8 KB; none of a file that cannot be read.
package func lastLines(of file: URL, count: Int) -> [String] {
  guard let handle = try? FileHandle(forReadingFrom: file), let end = try? handle.seekToEnd()
  else { return [] }
  defer { try? handle.close() }
  try? handle.seek(toOffset: end > 8192 ? end - 8192 : 0)
  let text = String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
  return text.split(whereSeparator: \.isNewline)
    .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }.suffix(count)
}
