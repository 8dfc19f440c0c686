/// The name of what a node calls, split.
struct TargetName {
  /// A place where names live.
  enum Space {
    /// PyTorch's own operators.
    case aten
    /// Arithmetic of Python on sizes.
    case python
    /// Anything else.
    case other
  }

  let space: Space
  /// The name within its space, with the overload unless that is the default one.
  let name: String

  init(_ target: String) {
    let aten = "torch.ops.aten."
    if target.hasPrefix(aten) {
      let name = target.dropFirst(aten.count)
      self.init(.aten, name.hasSuffix(".default") ? name.dropLast(8) : name)
      return
    }
    for prefix in ["_operator.", "operator.", "math.", "torch.sym_", "torch."]
    where target.hasPrefix(prefix) && !target.hasPrefix("torch.ops.") {
      self.init(.python, target.dropFirst(prefix.count))
      return
    }
    self.init(.other, target.hasPrefix("torch.ops.") ? target.dropFirst(10) : target[...])
  }

  private init(_ space: Space, _ name: Substring) {
    self.space = space
    self.name = String(name)
  }
}

/// The operators that are run as something else than what the file names.
///
/// A decomposed graph names operators that are internal to libtorch and trust their arguments; the checked operator
/// behind which each of them stands runs instead. `view` becomes `reshape`, because tensors are laid out with
/// channels last here, where not every view of the export is one.
enum OperatorRules {
  /// An operator that stands for another one.
  struct Replacement {
    /// The name of the operator that runs.
    let name: String
    /// Parameters that are called otherwise there.
    var renamed: [String: String] = [:]
    /// Parameters that it does not have.
    var dropped: Set<String> = []
  }

  /// True for an operator that runs as something else.
  static func knows(_ name: String) -> Bool {
    replacements[name] != nil || batchNorms.contains(name) || dropouts[name] != nil
      || assertions.contains(name) || sizes.contains(name)
  }

  /// Checks that the export put in; they hold for the inputs that the network gets.
  static let assertions: Set<String> = [
    "_assert_tensor_metadata", "_assert_scalar", "_assert_async", "_assert_async.msg",
    "sym_constrain_range", "sym_constrain_range_for_size",
  ]

  /// Operators that read sizes.
  static let sizes: Set<String> = ["sym_size.int", "sym_numel"]

  /// All forms of batch normalisation.
  static let batchNorms: Set<String> = [
    "batch_norm", "native_batch_norm", "cudnn_batch_norm", "_native_batch_norm_legit",
    "_native_batch_norm_legit.no_stats", "_native_batch_norm_legit_functional",
    "_native_batch_norm_legit_no_training", "_batch_norm_with_update",
    "_batch_norm_with_update_functional", "_batch_norm_no_update",
  ]

  /// All forms of dropout, with true for those that drop whole channels.
  static let dropouts: [String: Bool] = [
    "dropout": false, "dropout_": false, "native_dropout": false, "feature_dropout": true,
    "feature_dropout_": true, "alpha_dropout": false, "feature_alpha_dropout": true,
  ]

  /// Operators with a checked or plainer equal.
  static let replacements: [String: Replacement] = [
    "view": Replacement(name: "reshape", renamed: ["size": "shape"]),
    "_unsafe_view": Replacement(name: "reshape", renamed: ["size": "shape"]),
    "view_as": Replacement(name: "reshape_as"),
    "_unsafe_index.Tensor": Replacement(name: "index.Tensor"),
    "empty.memory_format": Replacement(name: "zeros", dropped: ["memory_format"]),
    "empty_like": Replacement(name: "zeros_like"),
    "new_empty": Replacement(name: "new_zeros"),
    "lift_fresh": Replacement(name: "alias"),
    "lift_fresh_copy": Replacement(name: "clone"),
    "detach_": Replacement(name: "detach"),
    "native_layer_norm": Replacement(name: "layer_norm"),
    "native_group_norm": Replacement(
      name: "group_norm", renamed: ["group": "num_groups"], dropped: ["N", "C", "HxW"]),
    "_scaled_dot_product_flash_attention_for_cpu": attention,
    "_scaled_dot_product_flash_attention": attention,
    "_scaled_dot_product_efficient_attention": attention,
    "_scaled_dot_product_cudnn_attention": attention,
  ]

  private static let attention = Replacement(
    name: "scaled_dot_product_attention", renamed: ["attn_bias": "attn_mask"],
    dropped: ["return_debug_mask", "compute_log_sumexp"])

  /// Operators whose result may share memory with their first argument, which their schemas do not say.
  static let silentAliases: Set<String> = [
    "type_as", "broadcast_tensors", "meshgrid", "meshgrid.indexing", "atleast_1d", "atleast_2d",
    "atleast_3d",
  ]

  /// Operators whose result is a view or a copy, which depends on the layout in memory.
  static let viewsOrCopies: Set<String> = [
    "reshape", "reshape_as", "flatten.using_ints", "contiguous", "ravel", "to.dtype", "to.device",
    "to.dtype_layout", "to.other", "type_as",
  ]
}
