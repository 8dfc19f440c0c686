import Foundation
import NamidAttacks
import NamidNetworks
import NamidTorch

/// Attacks on one data set under way: what is known of every sample, and what is still to be done.
///
/// Unattacked images are classified once, and only samples that are right go to an attack. The members of an ensemble
/// come one after another, each on all samples that are still right, from the unattacked image. What a member does to
/// a sample depends on nothing else; where the same member comes again, what is known is not computed again.
final class EvaluationSession {
  /// Called with each finished batch, before the next one.
  typealias Save<Failure: Error> = (Chunk, MemberPlan) throws(Failure) -> Void
  /// Called with the progress of a pass over the data set.
  typealias Report = (String, Evaluator.Progress) -> Void

  private let evaluator: Evaluator
  private let keepsImages: Bool
  private var results: [MemberPlan: MemberResults] = [:]

  init(_ evaluator: Evaluator, keepsImages: Bool) {
    self.evaluator = evaluator
    self.keepsImages = keepsImages
  }

  /// Takes over what an earlier process has finished.
  func restore(_ chunks: [Chunk], of member: MemberPlan) {
    for chunk in chunks {
      results[member, default: .init()].append(chunk, keepsImages: keepsImages)
    }
  }

  /// All passes made, those of an earlier process included.
  var cost: Cost { results.values.reduce(Cost()) { $0 + $1.cost } }

  // MARK: Passes over the data set

  /// Classifies the unattacked images.
  func clean<Failure: Error>(
    save: Save<Failure>, report: Report
  ) throws(Failure) -> MemberResults {
    let all = Array(0..<evaluator.data.count)
    return try complete(.clean, on: all, title: "clean", save: save, report: report) {
      evaluator.cleanChunk($0)
    }
  }

  /// Does all that an attack has still to do, and sums up.
  func outcome<Failure: Error>(
    of attack: any Attack, save: Save<Failure>, report: Report
  ) throws(Failure) -> Evaluator.Outcome {
    var record = OutcomeRecord(
      attack, evaluator: evaluator, clean: try clean(save: save, report: report))
    if !attack.changesImages { return record.outcome(keepsImages: keepsImages) }
    let members = attack.members(isTransfer: evaluator.source != nil)
    for (place, member) in members.enumerated() {
      let title =
        members.count == 1
        ? attack.name : "\(attack.name): \(member.name) (\(place + 1)/\(members.count))"
      let standing = record.standing
      let isFirst = place == 0
      let done = try complete(
        MemberPlan(member), on: standing, title: title, save: save, report: report
      ) {
        evaluator.attackedChunk($0, by: member, keepsUnfooled: isFirst)
      }
      record.append(member, attacked: standing, results: done)
    }
    return record.outcome(keepsImages: keepsImages)
  }

  /// Works on the samples that a member has no verdict on yet, batch after batch.
  private func complete<Failure: Error>(
    _ member: MemberPlan, on samples: [Int], title: String, save: Save<Failure>, report: Report,
    work: ([Int]) -> Chunk
  ) throws(Failure) -> MemberResults {
    var known = results[member] ?? MemberResults()
    let missing = samples.filter { known.verdicts[$0] == nil }
    var right = samples.count { known.verdicts[$0]?.fooled != true }
    for start in stride(from: 0, to: missing.count, by: evaluator.batchSize) {
      let end = min(start + evaluator.batchSize, missing.count)
      let chunk = work(Array(missing[start..<end]))
      try save(chunk, member)
      known.append(chunk, keepsImages: keepsImages)
      right -= chunk.verdicts.count(where: \.fooled)
      report(
        title,
        Evaluator.Progress(
          done: end, total: missing.count, robust: right, count: evaluator.data.count))
    }
    results[member] = known
    return known
  }
}

extension Attack {
  /// The attacks that this one consists of, down to those that consist of no others.
  var allMembers: [any Attack] {
    let members = members
    return members.count <= 1 ? [self] : members.flatMap(\.allMembers)
  }

  /// The attacks that are carried out one after another; against another network the attack is one.
  func members(isTransfer: Bool) -> [any Attack] { isTransfer ? [self] : allMembers }
}

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

  /// Attacks samples by an attack without members and checks its claims; with `keepsUnfooled`, images that do not fool
  /// the network are kept, too.
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
