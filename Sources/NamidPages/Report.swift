extension Array {
  /// Returns the element at a place, or nil beyond the end.
  func at(_ place: Int) -> Element? { place < count ? self[place] : nil }
}

/// A document made of plain values, which `HTMLReport` turns into one file.
///
/// The strings are plain text: markup in them is shown literally.
package struct Report: Sendable {
  package var title: String
  /// One line under the title, such as the data, the machine and the date.
  package var subtitle: String
  package var sections: [Section]

  package init(title: String, subtitle: String = "", sections: [Section] = []) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections
  }

  /// One part of a report under a heading of its own.
  package struct Section: Sendable {
    package var heading: String
    package var blocks: [Block]

    package init(_ heading: String, _ blocks: [Block]) {
      self.heading = heading
      self.blocks = blocks
    }
  }

  /// One piece of content.
  package enum Block: Sendable {
    /// Running text.
    case paragraph(String)
    /// Sentences as a list, under a line that says what they are.
    case list(String, [String])
    /// Short names with their values, such as a run's settings.
    case facts([(name: String, value: String)])
    /// A table of text and figures.
    case table(ReportTable)
    /// A chart; neighbours share a row where the window is wide enough.
    case chart(Chart)
    /// Small images in rows and columns.
    case imageGrid(ImageGrid)
    /// Text in a fixed-width font, such as the commands that reproduce the report.
    case code(String)
  }
}
