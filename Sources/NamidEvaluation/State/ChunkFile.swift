import Foundation
import NamidAttacks
import NamidFiles
import NamidTorch

/// Verdicts on a batch of samples in a safetensors file, with a digest of every byte.
enum ChunkFile {
  private static let problems = Certificate.Problem.allCases

  /// Writes a chunk under the key of its plan and attack; the file is there whole or not at all.
  static func write(_ chunk: Chunk, key: String, to url: URL) throws {
    let verdicts = chunk.verdicts
    let count = verdicts.count
    var tensors: [(name: String, tensor: Tensor)] = [
      ("samples", Tensor(chunk.samples, shape: [count])),
      ("fooled", Tensor(verdicts.map { UInt8($0.fooled ? 1 : 0) }, shape: [count])),
      ("problem", Tensor(verdicts.map { code(of: $0.problem) }, shape: [count])),
      (
        "cost",
        Tensor(
          verdicts.flatMap { [$0.cost.forwards, $0.cost.backwards, $0.cost.queries] },
          shape: [count, 3])
      ),
      ("seconds", Tensor(verdicts.map { Float($0.seconds) }, shape: [count])),
      ("image_rows", Tensor(chunk.imageRows, shape: [chunk.imageRows.count])),
    ]
    if verdicts.contains(where: { $0.distance != nil }) {
      let distances = verdicts.map { $0.distance ?? .nan }
      tensors.append(("distances", Tensor(distances, shape: [count])))
    }
    if let images = chunk.images { tensors.append(("images", images)) }
    let records = tensors.map { (name: $0.name, record: $0.tensor.record) }
    try SafetensorsFile.write(
      records, metadata: ["key": key, "sha256": digest(of: records)], to: url)
  }

  /// Reads a chunk back, which must belong to the key of a plan and attack; the shape is channels, height and width.
  ///
  /// Throws `SafetensorsError` or `Damage` for anything that `write` has not made.
  static func read(
    _ url: URL, key: String, sampleCount: Int, imageShape: [Int], withImages: Bool
  ) throws -> Chunk {
    let file = try SafetensorsFile.read(url)
    guard file.metadata["key"] == key else { throw Damage(reason: "it belongs to something else") }
    let records = file.names.compactMap { name in file[name].map { (name: name, record: $0) } }
    guard file.metadata["sha256"] == digest(of: records) else {
      throw Damage(reason: "its digest does not fit its content")
    }
    // What the digest vouches for was written by `write`, unless somebody made the file on purpose.
    var tensors: [String: Tensor] = [:]
    for (name, record) in records where withImages || name != "images" {
      tensors[name] = Tensor(record)
    }
    guard let samples = tensors["samples"]?.ints(), let fooled = tensors["fooled"]?.bools(),
      let codes = tensors["problem"]?.ints(), let costs = tensors["cost"]?.ints(),
      let seconds = tensors["seconds"]?.floats(), let rows = tensors["image_rows"]?.ints(),
      [fooled.count, codes.count, seconds.count, costs.count / 3].allSatisfy({
        $0 == samples.count
      }),
      samples.allSatisfy((0..<sampleCount).contains), rows.allSatisfy(samples.indices.contains),
      codes.allSatisfy((0...problems.count).contains)
    else { throw Damage(reason: "its lists do not fit together") }
    let distances = tensors["distances"]?.floats()
    let images = tensors["images"]
    if distances.map({ $0.count != samples.count }) == true
      || images.map({ $0.shape != [rows.count] + imageShape }) == true
    {
      throw Damage(reason: "its lists do not fit together")
    }
    let verdicts = samples.indices.map { row in
      Verdict(
        fooled: fooled[row], problem: codes[row] == 0 ? nil : problems[codes[row] - 1],
        cost: Cost(
          forwards: costs[3 * row], backwards: costs[3 * row + 1], queries: costs[3 * row + 2]),
        distance: distances.flatMap { $0[row].isNaN ? nil : $0[row] },
        seconds: Double(seconds[row]))
    }
    return Chunk(samples: samples, verdicts: verdicts, imageRows: rows, images: images)
  }

  /// A file that holds no chunk.
  struct Damage: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
  }

  private static func code(of problem: Certificate.Problem?) -> UInt8 {
    UInt8(problem.flatMap(problems.firstIndex).map { $0 + 1 } ?? 0)
  }

  private static func digest(of records: [(name: String, record: TensorRecord)]) -> String {
    var hash = SHA256()
    for (name, record) in records.sorted(by: { $0.name < $1.name }) {
      Array("\(name) \(record.dtype) \(record.shape);".utf8).withUnsafeBytes { hash.update($0) }
      record.bytes.withUnsafeBytes { hash.update($0) }
    }
    return hash.hexDigest()
  }
}
