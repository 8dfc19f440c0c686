import Foundation

/// The style sheet and the scripts of a page, which the build embeds from the folder `Resources`.
enum PageResource {
  /// The style sheet.
  static let style = text(PackageResources.page_css)
  /// The script that hands each chart's JSON to Chart.js.
  static let charts = text(PackageResources.charts_js)
  /// The script that sorts a table's rows by a click on a heading.
  static let sorting = text(PackageResources.sorting_js)

  private static func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}
