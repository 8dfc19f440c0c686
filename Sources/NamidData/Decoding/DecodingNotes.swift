import Foundation
import NamidTerminal

/// The numbers of files that were decoded in a way that their owner should know of.
struct DecodingNotes: Equatable, Sendable {
  /// Images with pixels that are not opaque.
  var transparent = 0
  /// Images of 16 bits for each value, of which 8 are kept.
  var deep = 0
  /// Images with a tag that asks for them to be turned, which they are not.
  var turned = 0

  mutating func add(_ other: DecodingNotes) {
    transparent += other.transparent
    deep += other.deep
    turned += other.turned
  }

  /// Says what there is to say, a line for each kind.
  func report(of name: String, say: (String) -> Void) {
    func tell(_ count: Int, _ what: String) {
      if count > 0 {
        say("\(name): \(thousands(count)) \(count == 1 ? "image" : "images") \(what)")
      }
    }
    tell(transparent, "with transparent pixels, laid on the background")
    tell(deep, "with 16 bits a value, of which the upper 8 are kept")
    tell(turned, "with an orientation tag, which is not applied (nor does torchvision)")
  }
}
