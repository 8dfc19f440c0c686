import ArgumentParser
import Foundation
import NamidData

/// `namid data`.
struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Fetch, check and describe data sets.",
    subcommands: [Fetch.self, Verify.self, Info.self], defaultSubcommand: Info.self)

  /// `namid data fetch NAME`.
  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Get a data set, check it and put it into the data folder.")
    @Argument(help: "A data set's name, such as fashion-mnist.")
    var name: String
    @OptionGroup var data: DataOptions

    func run() throws {
      let source = try Parts.catalog.dataset(name)
      try source.fetch(into: data.directory, say: note)
      print(source.summary(in: data.directory))
    }
  }

  /// `namid data verify NAME`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read a whole data set and compare it with the published files.")
    @Argument(help: "A data set's name, folder:PATH or file:PATH.")
    var name: String
    @OptionGroup var data: DataOptions

    func run() throws {
      let verification = try Parts.catalog.dataset(name).verify(in: data.directory, say: note)
      print(verification)
      if !verification.isUsable { throw ExitCode.failure }
    }
  }

  /// `namid data info [NAME]`.
  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what data sets are known, and where they lie.",
      discussion: "Of a set that is named: how many images each class has, too.")
    @Argument(help: "A data set's name, folder:PATH or file:PATH; all known sets when left out.")
    var name: String?
    @OptionGroup var data: DataOptions

    func run() throws {
      if let name {
        print(try Parts.catalog.dataset(name).details(in: data.directory, say: note))
      } else {
        for source in Parts.catalog.datasets { print(source.summary(in: data.directory)) }
      }
    }
  }
}
