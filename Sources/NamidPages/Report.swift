/// A document made of plain values, which `HTMLReport` turns into one file.
///
/// The strings are plain text: markup in them is shown literally.
package struct Report: Sendable, Equatable, Codable {
  /// The title of the document, also shown as the window's title.
  package var title: String
  /// One line under the title, such as the data, the machine and the date.
  package var subtitle: String
  /// The parts, in reading order.
  package var sections: [Section]

  /// Makes a report of the given parts.
  package init(title: String, subtitle: String = "", sections: [Section] = []) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections
  }

  /// One part of a report under a heading of its own.
  package struct Section: Sendable, Equatable, Codable {
    /// The heading, also used in the table of contents.
    package var heading: String
    /// The content under the heading, in reading order.
    package var blocks: [Block]

    /// Makes a section of the given blocks.
    package init(heading: String, blocks: [Block] = []) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  /// One piece of content.
  package enum Block: Sendable, Equatable, Codable {
    /// Running text.
    case paragraph(String)
    /// Sentences as a list, under a line that says what they are.
    case list(String, [String])
    /// Short names with their values, such as a run's settings.
    case facts([Fact])
    /// A table of text and figures.
    case table(ReportTable)
    /// A chart; neighbours share a row where the window is wide enough.
    case chart(Chart)
    /// Small images in rows and columns.
    case imageGrid(ImageGrid)
    /// Text in a fixed-width font, such as the commands that reproduce the report.
    case code(String)
  }

  /// A name with its value.
  package struct Fact: Sendable, Equatable, Codable {
    /// The name of the value.
    package var name: String
    /// The value as it should be read.
    package var value: String

    /// Makes a fact: `Fact("Seed", "0")`.
    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
}
