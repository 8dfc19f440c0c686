import Foundation
import NamidAttacks
import NamidTorch

extension Evaluator {
  /// Channels times height times width.
  var valuesPerImage: Int { data.batch([0]).images.count }

  /// The verdicts on unattacked images.
  func cleanChunk(_ samples: [Int]) -> Chunk {
    let begin = Date()
    let batch = data.batch(samples)
    let found = Certificate.isWrong(batch.images, batch.labels, on: classifier)
    let seconds = Date().timeIntervalSince(begin) / Double(samples.count)
    return Chunk(
      samples: samples,
      verdicts: found.map { wrong, finite in
        Verdict(
          fooled: wrong, problem: finite ? nil : .notFinite, cost: Cost(forwards: 1),
          seconds: seconds)
      })
  }

  /// Attacks samples and checks the attack's claims.
  ///
  /// - Parameters:
  ///   - samples: Their places in the data set.
  ///   - member: The attack, one without members.
  ///   - keepsUnfooled: True to keep also images that do not fool the network.
  /// - Returns: Verdicts and images.
  func attackedChunk(_ samples: [Int], by member: any Attack, keepsUnfooled: Bool) -> Chunk {
    let begin = Date()
    let batch = data.batch(samples)
    let root = RandomStream(seed: seed).keyed("evaluate").keyed(member.name)
    let result = withPrecision(.float32, on: data.device) {
      member.run(
        on: source ?? classifier, images: batch.images, labels: batch.labels,
        streams: samples.map { root.keyed(data.sampleIndices[$0]) },
        goal: source == nil ? .fool : .strongest)
    }
    let check = ClaimCheck(
      result, of: member, batch: batch, judge: classifier, isTransfer: source != nil)
    let rows = samples.indices.filter {
      check.isUsable[$0] && (keepsUnfooled || check.verdicts[$0].fooled)
    }
    let places = Tensor(rows, shape: [rows.count]).to(data.device)
    let images = rows.isEmpty ? nil : result.images.indexSelect(places).to(.cpu).contiguous()
    let seconds = Date().timeIntervalSince(begin) / Double(samples.count)
    let verdicts = check.verdicts.map { verdict in
      var verdict = verdict
      verdict.seconds = seconds
      return verdict
    }
    return Chunk(samples: samples, verdicts: verdicts, imageRows: rows, images: images)
  }
}
