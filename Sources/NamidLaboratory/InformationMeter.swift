import NamidData
import NamidInformation
import NamidNetworks
import NamidTorch

/// A meter of the mutual information of a network's outputs, over batches of fixed composition.
///
/// It measures in float32 and evaluation mode and keeps the tensors of one batch at a time.
package struct InformationMeter {
  /// The tensors of a batch that readers are given.
  struct Batch {
    /// The natural images (N, C, H, W).
    let images: Tensor
    /// The attacked images of the same samples.
    let attacked: Tensor
    let cleanLogits: Tensor
    let attackedLogits: Tensor
  }

  private let classifier: any Classifier
  private let data: ImageTensors
  private let batches: InformationBatches
  private let rule: SelectionRule
  private let chunk: Int

  /// Creates a meter for a data set, which leaves the network as it is.
  ///
  /// - Parameters:
  ///   - classifier: The network.
  ///   - data: The natural images.
  ///   - batches: The samples of each score matrix.
  ///   - rule: The rule by which logits become labels in Equation 6.
  ///   - chunk: The number of images handed to the network at once, which changes nothing but speed.
  package init(
    _ classifier: any Classifier, on data: ImageTensors, batches: InformationBatches,
    rule: SelectionRule = .argmax, chunk: Int = 128
  ) {
    precondition(batches.count == data.count, "batches of \(batches.count) samples")
    self.classifier = classifier
    self.data = data
    self.batches = batches
    self.rule = rule
    self.chunk = chunk
  }

  /// The record of the batches, for reports.
  package func record() throws -> InformationBatches.Record {
    try batches.record(indices: data.sampleIndices)
  }

  /// Measures all samples.
  ///
  /// - Parameters:
  ///   - attacked: The attacked images (count, C, H, W), in the order of the data set.
  ///   - progress: A closure called with the number of samples done.
  ///   - read: A closure that returns the same number of lists for every batch, each as long as the batch.
  /// - Returns: The network's predictions for each sample, and the lists over the whole data set in its order.
  func measure(
    attacked: Tensor, progress: (Int) -> Void = { _ in }, _ read: (Batch) -> [[Double]]
  ) -> (outcomes: SampleOutcomes, columns: [[Double]]) {
    let zeros = [Int](repeating: 0, count: data.count)
    var outcomes = SampleOutcomes(
      index: data.sampleIndices, label: zeros, clean: zeros, attacked: zeros,
      isSelected: zeros.map { _ in false }, batch: zeros)
    var columns: [[Double]] = []
    var done = 0
    for (number, batch) in batches.batches.enumerated() {
      let (seen, labels) = see(batch.members, attacked)
      let found = read(seen)
      if columns.isEmpty {
        columns = found.map { _ in [Double](repeating: .nan, count: data.count) }
      }
      let own = (
        labels: labels.ints(), clean: seen.cleanLogits.argmax(1).ints(),
        attacked: seen.attackedLogits.argmax(1).ints(), selected: selected(seen, labels)
      )
      for (row, place) in batch.members.prefix(batch.counted).enumerated() {
        outcomes.label[place] = own.labels[row]
        outcomes.clean[place] = own.clean[row]
        outcomes.attacked[place] = own.attacked[row]
        outcomes.isSelected[place] = own.selected.contains(row)
        outcomes.batch[place] = number
        for column in found.indices { columns[column][place] = found[column][row] }
      }
      done += batch.counted
      progress(done)
    }
    return (outcomes, columns)
  }

  /// Measures natural and adversarial MI by several pairs of readers in one pass.
  ///
  /// - Parameters:
  ///   - attacked: The attacked images, in the order of the data set.
  ///   - readers: The pairs of readers.
  ///   - progress: A closure called with the number of samples done.
  /// - Returns: The network's predictions for each sample, and the values of each pair of readers.
  /// - Throws: `LaboratoryError.notFinite` with the name of the readers that fail.
  package func measure(
    attacked: Tensor, readers: [PairReader], progress: (Int) -> Void = { _ in }
  ) throws(LaboratoryError) -> (outcomes: SampleOutcomes, values: [InformationValues]) {
    let (outcomes, columns) = measure(attacked: attacked, progress: progress) { batch in
      let outputs = [batch.cleanLogits, batch.attackedLogits]
      let noise = batch.attacked - batch.images
      return readers.flatMap {
        $0.natural.read(batch.images, outputs) + $0.adversarial.read(noise, outputs)
      }
    }
    var values: [InformationValues] = []
    for (place, reader) in readers.enumerated() {
      let own = Array(columns[(4 * place)..<(4 * place + 4)])
      try Self.requireFinite(own, reader.name)
      values.append(
        InformationValues(
          natural: InformationPair(clean: own[0], attacked: own[1]),
          adversarial: InformationPair(clean: own[2], attacked: own[3])))
    }
    return (outcomes, values)
  }

  /// Checks that all values of all samples are finite.
  static func requireFinite(
    _ columns: [[Double]], _ name: String
  ) throws(LaboratoryError) {
    let total = columns.first?.count ?? 0
    let broken = (0..<total).count { place in columns.contains { !$0[place].isFinite } }
    if broken > 0 { throw .notFinite(estimators: name, count: broken, total: total) }
  }

  private func see(_ members: [Int], _ attacked: Tensor) -> (Batch, labels: Tensor) {
    withPrecision(.float32, on: data.device) {
      withoutGrad {
        let batch = data.batch(members)
        let rows = Tensor(members, shape: [members.count]).to(attacked.device)
        let others = attacked.indexSelect(rows).to(data.device)
        let (clean, noisy) = classifier.evaluating { (logits(batch.images), logits(others)) }
        let seen = Batch(
          images: batch.images, attacked: others, cleanLogits: clean, attackedLogits: noisy)
        return (seen, batch.labels)
      }
    }
  }

  private func logits(_ images: Tensor) -> Tensor {
    let count = images.size(0)
    return .cat(
      stride(from: 0, to: count, by: chunk).map {
        classifier.logits(images.slice($0..<min($0 + chunk, count)))
      })
  }

  private func selected(_ batch: Batch, _ labels: Tensor) -> Set<Int> {
    let selection = Selection(
      natural: batch.cleanLogits, adversarial: batch.attackedLogits, labels: labels, rule: rule)
    return Set(selection.flipped.ints())
  }
}
