import NamidFiles

/// A check of the code in a TorchScript archive, made on its text, before libtorch compiles it.
///
/// Compiling runs code: the values of default arguments and of a class's constants are computed, methods named
/// `__setstate__` are called for every object, and operators with constant arguments are evaluated. A graph exists only
/// after that, so the text is judged:
///
/// * names that stand for an operator of libtorch must be in `ScriptedOperators`; a name stands for one after a dot, before
///   a parenthesis, and as a string where there is a `getattr`. Types and functions of the archive itself begin
///   with `__torch__` and are not operators;
/// * signatures and bodies of classes have no calls, so nothing is computed for a default or a constant;
/// * no `__setstate__`, no classes of C++ (`torch.classes`), nothing that starts a thread or another process;
/// * only the form that PyTorch prints: strings end in their line, there is no continuation, and neither nesting nor the
///   length of an expression can exhaust the compiler's stack.
///
/// The compiled code is checked again as a graph.
struct ScriptedSource {
  static let deepestBrackets = 200
  static let deepestIndent = 200
  static let longestExpression = 2000

  private let file: String
  private let isOperator: (String) -> Bool
  private var brackets: [UInt8] = []
  private var tokens: [Token] = []
  private var expression = 0
  private var statementIndent = 0
  /// The indentation of the function that is being read; nil between functions.
  private var functionIndent: Int?

  private enum Token: Equatable {
    case word(String)
    case text(String)
    case mark(UInt8)
  }

  /// A check of one file of code.
  ///
  /// - Parameters:
  ///   - file: Its name, for messages.
  ///   - isOperator: True for the base names of operators of libtorch, in any namespace.
  init(named file: String, isOperator: @escaping (String) -> Bool) {
    self.file = file
    self.isOperator = isOperator
  }

  /// Checks the whole text.
  ///
  /// - Throws: `ScriptedModuleError` that names the first thing that is refused.
  mutating func check(_ bytes: [UInt8]) throws(ScriptedModuleError) {
    for (index, line) in bytes.split(
      separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
    ).enumerated() {
      do {
        try read(line)
      } catch {
        throw ScriptedModuleError(
          "\(file) line \(index + 1) \(error.problem)", advice: error.advice)
      }
    }
    guard brackets.isEmpty else { throw handmade("\(file) ends within brackets") }
  }

  private func handmade(_ problem: String) -> ScriptedModuleError {
    ScriptedModuleError(problem, advice: ScriptedModuleError.damaged)
  }

  // MARK: Lines

  private mutating func read(_ line: ArraySlice<UInt8>) throws(ScriptedModuleError) {
    let indent = line.prefix { $0 == UInt8(ascii: " ") }.count
    if tokens.isEmpty { statementIndent = indent }
    try split(line.dropFirst(indent))
    guard brackets.isEmpty else { return }
    let statement = tokens
    tokens = []
    expression = 0
    guard !statement.isEmpty else { return }
    guard statementIndent <= Self.deepestIndent else { throw handmade("is nested too deep") }
    try judge(statement, indent: statementIndent)
  }

  private mutating func split(_ line: ArraySlice<UInt8>) throws(ScriptedModuleError) {
    var rest = line
    while let first = rest.first {
      switch first {
      case UInt8(ascii: " "): rest = rest.dropFirst()
      case UInt8(ascii: "#"): return
      case UInt8(ascii: "\""), UInt8(ascii: "'"):
        rest = rest.dropFirst()
        try add(.text(try string(&rest, endingWith: first)))
      case UInt8(ascii: "_"), 0x30...0x39, 0x41...0x5A, 0x61...0x7A:
        let word = rest.prefix { Self.isWordByte($0) }
        rest = rest.dropFirst(word.count)
        try add(.word(String(decoding: word, as: UTF8.self)))
      case 0x21...0x7E where first != UInt8(ascii: "\\"):
        rest = rest.dropFirst()
        try nest(first)
        try add(.mark(first))
      default: throw handmade("has the byte \(first), which PyTorch does not write there")
      }
    }
  }

  private mutating func add(_ token: Token) throws(ScriptedModuleError) {
    expression = token == .mark(UInt8(ascii: ",")) ? 0 : expression + 1
    guard expression <= Self.longestExpression else { throw handmade("has an endless expression") }
    tokens.append(token)
  }

  private mutating func nest(_ byte: UInt8) throws(ScriptedModuleError) {
    let pairs: [UInt8: Character] = [
      UInt8(ascii: ")"): "(", UInt8(ascii: "]"): "[", UInt8(ascii: "}"): "{",
    ]
    if let opening = pairs[byte]?.asciiValue {
      guard brackets.popLast() == opening else { throw handmade("has brackets that do not fit") }
    } else if pairs.values.contains(Character(Unicode.Scalar(byte))) {
      brackets.append(byte)
      guard brackets.count <= Self.deepestBrackets else { throw handmade("is nested too deep") }
    }
  }

  /// The raw content of a string, which ends in its line.
  private func string(
    _ rest: inout ArraySlice<UInt8>, endingWith quote: UInt8
  ) throws(ScriptedModuleError) -> String {
    var content: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte == quote {
        // Three quotes begin a text of several lines, and two strings in a row are one.
        guard rest.first != quote else { throw handmade("has strings that touch") }
        return String(decoding: content, as: UTF8.self)
      }
      content.append(byte)
      guard byte == UInt8(ascii: "\\") else { continue }
      guard let escaped = rest.popFirst() else { break }
      content.append(escaped)
    }
    throw handmade("has a string without an end")
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "_"), 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }

  // MARK: Statements

  private mutating func judge(_ statement: [Token], indent: Int) throws(ScriptedModuleError) {
    let calls = Self.calls(in: statement)
    if let function = functionIndent, indent <= function { functionIndent = nil }
    switch statement.first {
    case .word("def"):
      guard functionIndent == nil else { throw handmade("defines a function in a function") }
      functionIndent = indent
      guard calls == 1 else { throw handmade("has a default value that is computed") }
    case .word("class"):
      guard calls <= 1 else { throw handmade("has a class that is computed") }
    default:
      guard functionIndent != nil || calls == 0 else {
        throw handmade("computes a value outside of a function")
      }
    }
    let isBody = functionIndent != nil && statement.first != .word("def")
    if !isBody, statement.contains(where: Self.isArithmetic) {
      throw handmade("computes a value outside of a function")
    }
    try judgeNames(statement)
  }

  /// The number of parentheses behind something that can be called; others are tuples.
  private static func calls(in statement: [Token]) -> Int {
    zip(statement, statement.dropFirst()).count { before, token in
      guard token == .mark(UInt8(ascii: "(")) else { return false }
      guard case .mark(let mark) = before else { return true }
      return [UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}")].contains(mark)
    }
  }

  /// True for signs of arithmetic but the minus of a number.
  private static func isArithmetic(_ token: Token) -> Bool {
    if case .mark(let mark) = token { "*+/%@&|^~<".utf8.contains(mark) } else { false }
  }

  private func judgeNames(_ statement: [Token]) throws(ScriptedModuleError) {
    // True within a dotted name that begins with `__torch__`: a type or function of the archive.
    var isOwn = false
    for (index, token) in statement.enumerated() {
      let previous = index > 0 ? statement[index - 1] : nil
      switch token {
      case .text(let text):
        if case .text = previous { throw handmade("has strings that touch") }
        try judge(string: text, in: statement)
      case .word(let word):
        try judge(word)
        if previous != .mark(UInt8(ascii: ".")) { isOwn = word == "__torch__" }
        if isOwn, word == "classes", index > 1, statement[index - 2] == .word("torch") {
          throw refusal("torch.classes")
        }
        let isCalled =
          index + 1 < statement.count && statement[index + 1] == .mark(UInt8(ascii: "("))
        if !isOwn, isCalled || previous == .mark(UInt8(ascii: ".")) { try judge(operator: word) }
      case .mark: break
      }
    }
  }

  /// Refuses words that never stand in code which computes logits, wherever they stand.
  private func judge(_ word: String) throws(ScriptedModuleError) {
    switch word {
    case "__setstate__", "__getstate__":
      throw ScriptedModuleError(
        "has \(word), which would run while it is loaded",
        advice: "take __getstate__ and __setstate__ out of the model")
    case "fork", "awaitable", "rpc_async", "rpc_sync", "rpc_remote": throw refusal(word)
    case "with":
      throw ScriptedModuleError(
        "has a block \"with\", as torch.no_grad and autocast make it",
        advice: "take that out of the model's forward; gradients must reach the images")
    case "elif", "lambda", "global", "async", "yield":
      throw handmade("has the word \(word), which PyTorch does not write there")
    default: break
    }
  }

  private func judge(
    string text: String, in statement: [Token]
  ) throws(ScriptedModuleError) {
    // Elsewhere a string stands for no name.
    guard statement.contains(.word("getattr")) || statement.contains(.word("hasattr")) else {
      return
    }
    guard !text.contains("\\") else { throw handmade("spells a name with escapes") }
    try judge(text)
    try judge(operator: text)
  }

  private func judge(operator name: String) throws(ScriptedModuleError) {
    guard isOperator(name), !ScriptedOperators.names.contains(name) else { return }
    throw refusal(name)
  }

  private func refusal(_ name: String) -> ScriptedModuleError {
    ScriptedModuleError(
      "uses \(quotedForPeople(name)), which is not among the operators that may run",
      advice: ScriptedOperators.advice(name))
  }
}
