import NamidData
import NamidEvaluation
import NamidFiles
import NamidLaboratory
import NamidSettings
import NamidTraining

/// Everything that decides the result of a step, apart from the images.
///
/// Runs of other steps are named by their folders, relative to that of the whole experiment (`steps/ID/run`).
package enum StepRequest: Equatable, Sendable {
  /// The training of a network.
  case train(RunConfiguration)
  /// The training of estimators.
  case estimators(EstimatorConfiguration)
  /// The measurement of a network under attacks.
  case measure(MeasurementRequest)
  /// The pairings of image and output (Figure 2).
  case pairings(PairingsRequest)
  /// Estimators of Equations 4 and 5 side by side (Figure 4).
  case comparison(ComparisonRequest)

  /// The kinds of step.
  package enum Kind: String, CodingKey, CaseIterable, Sendable {
    /// The training of a network.
    case train
    /// The training of estimators.
    case estimators
    /// The measurement of a network under attacks.
    case evaluate
    /// The measurement of a network on images that were made on another one.
    case transfer
    /// The pairings of image and output.
    case pairings = "poc"
    /// Estimators side by side.
    case comparison = "compare"

    /// True where the step leaves a run with checkpoints; the other steps leave figures.
    package var isTraining: Bool { self == .train || self == .estimators }

    /// The name of the file or folder that the step leaves in its own folder.
    package var product: String {
      switch self {
      case .train, .estimators: "run"
      case .evaluate, .transfer: "result.json"
      case .pairings: "poc/poc.json"
      case .comparison: "compare/compare.json"
      }
    }
  }

  /// The kind of the step.
  package var kind: Kind {
    switch self {
    case .train: .train
    case .estimators: .estimators
    case .measure(let request): request.surrogate == nil ? .evaluate : .transfer
    case .pairings: .pairings
    case .comparison: .comparison
    }
  }

  /// The runs of other steps that it reads; that of the measured network is the last network.
  var runs: [String] {
    let runs: [String?] =
      switch self {
      case .train(let configuration): [configuration.estimators]
      case .estimators(let configuration): [configuration.target]
      case .measure(let request): [request.surrogate, request.run]
      case .pairings(let request): [request.subject.run, request.estimators]
      case .comparison(let request): [request.subject.run, request.eq4, request.eq5]
      }
    return runs.compactMap(\.self)
  }
}

/// The measurement of a run's network under attacks.
package struct MeasurementRequest: Codable, Hashable, Sendable {
  /// The run of the measured network.
  package var run: String
  /// The checkpoint that is measured.
  package var checkpoint: CheckpointFolder.Choice
  /// The run of the network that images are made on; nil for the measured one.
  package var surrogate: String?
  /// Attacks, ball and images.
  package var evaluation: EvaluationRequest
}

extension StepRequest: Codable {
  /// Reads a group whose only key is the kind.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Kind.self)
    guard let kind = container.allKeys.first, container.allKeys.count == 1 else {
      throw ValueError.badValue(
        key: "", found: .int(container.allKeys.count), reason: "expected one kind of step")
    }
    self =
      switch kind {
      case .train: .train(try container.decode(RunConfiguration.self, forKey: kind))
      case .estimators: .estimators(try container.decode(EstimatorConfiguration.self, forKey: kind))
      case .evaluate, .transfer:
        .measure(try container.decode(MeasurementRequest.self, forKey: kind))
      case .pairings: .pairings(try container.decode(PairingsRequest.self, forKey: kind))
      case .comparison: .comparison(try container.decode(ComparisonRequest.self, forKey: kind))
      }
  }

  /// Writes a group whose only key is the kind.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Kind.self)
    switch self {
    case .train(let configuration): try container.encode(configuration, forKey: kind)
    case .estimators(let configuration): try container.encode(configuration, forKey: kind)
    case .measure(let request): try container.encode(request, forKey: kind)
    case .pairings(let request): try container.encode(request, forKey: kind)
    case .comparison(let request): try container.encode(request, forKey: kind)
    }
  }
}

extension StepRequest {
  /// Raised when the tool would do something else for the same request, or when a default changes.
  private static let formatVersion = 2

  /// A hash of all that decides the step's result: the request without paths, the steps that it needs, its data, and
  /// the format.
  ///
  /// A step whose hash is there and finished is never done again. How it is computed (threads, device, where data and
  /// results lie) is not part of it.
  ///
  /// - Parameter data: A digest of the images that it reads; nil where a step that it needs says so.
  /// - Returns: Twelve hexadecimal digits.
  /// - Throws: An error of a request that cannot be written as text.
  func hash(data: String?) throws -> String {
    struct Specification: Encodable {
      var format: Int
      var request: JSONValue
      var data: String?
    }
    let specification = Specification(
      format: Self.formatVersion, request: try content().mapTexts(Self.content), data: data)
    return String(try specificationHash(specification).prefix(12))
  }

  /// The request without settings that have their defaults, so that a new setting changes no hash.
  private func content() throws -> JSONValue {
    let tree = try JSONValue(encoding: self)
    let defaults: JSONValue
    switch self {
    case .train(let configuration):
      var plain = RunConfiguration()
      for (_, group) in configuration.settings.all { plain.settings.set(type(of: group).init()) }
      defaults = try JSONValue(encoding: plain)
    case .estimators: defaults = try JSONValue(encoding: EstimatorConfiguration())
    case .measure, .pairings, .comparison: return tree
    }
    return tree.without([kind.rawValue: defaults])
  }

  /// A text without what only says where something lies; another step's name ends in its own hash.
  private static func content(_ text: String) -> String {
    if let step = ExperimentStep.id(ofRun: text) {
      return "step " + (step.split(separator: "-").last ?? "")
    }
    return [Datasets.folderPrefix, Datasets.filePrefix].first(where: text.hasPrefix) ?? text
  }
}

extension JSONValue {
  /// Copies the tree without the members that another one has, too, with the same value.
  fileprivate func without(_ other: JSONValue) -> JSONValue {
    guard case .object(let object) = self else { return self }
    return .object(
      JSONObject(
        object.compactMap { key, value in
          value == other[key] ? nil : (key, other[key].map(value.without) ?? value)
        }))
  }

  /// Copies the tree with other texts.
  fileprivate func mapTexts(_ change: (String) -> String) -> JSONValue {
    switch self {
    case .string(let text): .string(change(text))
    case .array(let elements): .array(elements.map { $0.mapTexts(change) })
    case .object(let object):
      .object(JSONObject(object.map { ($0.key, $0.value.mapTexts(change)) }))
    default: self
    }
  }
}
