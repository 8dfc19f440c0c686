/// A recipe that cannot be carried out.
package enum RecipeError: Error, Equatable, CustomStringConvertible {
  /// The name belongs to no recipe.
  case unknown(String, suggestion: String?, known: [String])
  /// The recipes that come with the tool are not where they should be.
  case noneFound(lookedIn: [String])
  /// Something in a recipe is wrong.
  case refused(key: String, reason: String, origin: String?)
  /// Things need each other.
  case circular([String], origin: String?)
  /// The requested row is in none of the requested recipes.
  case unknownRow(String, suggestion: String?, known: [String])
  /// Steps need each other, or something that is no step.
  case brokenPlan(String)

  /// A sentence for people: the mistake, its place and a valid alternative.
  package var description: String {
    switch self {
    case .unknown(let name, let suggestion, let known):
      "there is no recipe \"\(name)\"" + (suggestion.map { ": did you mean \"\($0)\"?" } ?? "")
        + " (known: \((known + ["all"]).joined(separator: ", ")), or the path of a .yaml file)"
    case .noneFound(let places):
      "the recipes that come with the tool were not found (looked in \(places.joined(separator: ", "))): "
        + "set \(RecipeCatalog.variable) to the folder Recipes of the repository"
    case .refused(let key, let reason, let origin):
      (origin.map { "\($0): " } ?? "") + "\(key): \(reason)"
    case .circular(let names, let origin):
      (origin.map { "\($0): " } ?? "") + "circular need: \(names.joined(separator: " needs "))"
    case .unknownRow(let name, let suggestion, let known):
      "no row is called \"\(name)\"" + (suggestion.map { ": did you mean \"\($0)\"?" } ?? "")
        + " (rows: \(known.joined(separator: ", ")))"
    case .brokenPlan(let reason): "the plan cannot be carried out: \(reason)"
    }
  }
}
