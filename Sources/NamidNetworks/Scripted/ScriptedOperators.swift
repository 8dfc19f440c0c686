/// The operators that TorchScript may call here, by their names without namespace and overload.
///
/// All of them are functions of their arguments, change a tensor or list that they are given, or draw random numbers:
/// none reads or writes files, runs other code, or reaches beyond the bounds of a tensor.
enum ScriptedOperators {
  /// All names.
  static let names = Set(
    [
      convolutions, products, normalisations, activations, pooling, shapes, indexing, reductions,
      arithmetic, comparisons, resizing, creation, casts, random,
    ].joined(separator: " ").split { " \n".contains($0) }.map(String.init)
      + [script, primitives].joined(separator: " ").split { " \n".contains($0) }.map(String.init))

  /// The operator that may not run, with its namespace, or nil where all may.
  static func refused(among operators: [String]) -> String? {
    operators.first { name in
      if name.hasPrefix("prim::SetAttr of ") {
        return name != "prim::SetAttr of num_batches_tracked"
      }
      guard let mark = name.range(of: "::"), ["aten", "prim"].contains(name[..<mark.lowerBound])
      else { return true }
      return !names.contains(String(name[mark.upperBound...]))
    }
  }

  /// The step that helps where an operator is refused.
  static func advice(_ name: String) -> String {
    let internals = ["transformer", "multi_head", "nested"]
    if internals.contains(where: name.contains) {
      return """
        call torch.backends.mha.set_fastpath_enabled(False) before torch.jit.trace, or export with \
        torch.export
        """
    }
    return "take it out of the model's forward, or export the model with torch.export instead"
  }

  /// The operators whose results differ from call to call.
  static let random = """
    rand rand_like randn randn_like randint randint_like bernoulli bernoulli_ normal normal_ uniform_
    """

  private static let convolutions = """
    conv1d conv2d conv3d convolution _convolution _convolution_mode conv_transpose1d conv_transpose2d
    conv_transpose3d
    """

  private static let products = """
    linear matmul mm bmm mv dot addmm addbmm baddbmm einsum bilinear outer linalg_vector_norm
    linalg_matrix_norm linalg_norm norm frobenius_norm scaled_dot_product_attention cosine_similarity cdist
    """

  private static let normalisations = """
    batch_norm layer_norm group_norm instance_norm rms_norm softmax log_softmax local_response_norm
    normalize cudnn_enabled cudnn_is_acceptable
    """

  private static let activations = """
    relu relu_ relu6 relu6_ leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ gelu gelu_ silu silu_
    mish mish_ hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ hardshrink softshrink
    softplus softsign sigmoid sigmoid_ log_sigmoid logsigmoid tanh tanh_ prelu threshold threshold_ glu
    softmin tanhshrink rrelu
    dropout dropout_ feature_dropout feature_dropout_ alpha_dropout alpha_dropout_ feature_alpha_dropout
    dropout1d dropout2d dropout3d
    """

  private static let pooling = """
    max_pool1d max_pool2d max_pool3d max_pool2d_with_indices avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d
    boolean_dispatch lp_pool2d
    """

  private static let shapes = """
    view view_as reshape reshape_as flatten unflatten permute transpose transpose_ t numpy_T mT T mH swapaxes
    swapdims movedim moveaxis squeeze squeeze_ unsqueeze unsqueeze_ expand expand_as broadcast_to
    broadcast_tensors cat concat concatenate stack hstack vstack dstack split split_with_sizes chunk
    tensor_split unbind unsafe_chunk unsafe_split repeat repeat_interleave tile roll flip fliplr flipud
    rot90 unfold fold im2col col2im pixel_shuffle pixel_unshuffle channel_shuffle contiguous clone alias detach
    detach_ diagonal diag_embed diag tril triu tril_ triu_ atleast_1d atleast_2d atleast_3d meshgrid ravel
    narrow data is_contiguous stride block_diag
    """

  private static let indexing = """
    select slice index index_select gather take_along_dim embedding one_hot masked_fill masked_fill_ where
    scatter scatter_ scatter_add scatter_add_ index_put index_put_ index_add index_add_ index_fill index_fill_
    index_copy index_copy_ select_scatter slice_scatter argmax argmin topk sort argsort cumsum cumprod copy_
    searchsorted bucketize nonzero masked_select take item _local_scalar_dense
    """

  private static let reductions = """
    sum mean amax amin max min var std var_mean std_mean prod logsumexp any all count_nonzero median quantile
    kthvalue aminmax mode nansum nanmean cummax cummin isin argwhere
    """

  private static let arithmetic = """
    add add_ sub sub_ subtract subtract_ rsub mul mul_ multiply multiply_ div div_ divide divide_ true_divide
    true_divide_ floordiv floor_divide floor_divide_ fmod remainder mod neg neg_ negative abs abs_ absolute
    sign sgn exp exp_ exp2 expm1 log log_ log2 log10 log1p sqrt sqrt_ rsqrt rsqrt_ square square_
    reciprocal reciprocal_ pow pow_ clamp clamp_ clamp_min clamp_min_ clamp_max clamp_max_ clip clip_ minimum
    maximum fmin fmax erf erfc erfinv sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh sinc floor
    floor_ ceil ceil_ round round_ trunc frac lerp lerp_ addcmul addcdiv addcmul_ addcdiv_ nan_to_num
    nan_to_num_ logaddexp xlogy heaviside hypot bitwise_and bitwise_or bitwise_xor bitwise_not logit deg2rad
    rad2deg dist positive mathremainder factorial gcd lcm gamma lgamma digamma angle real imag conj copysign
    frexp fix degrees radians modf cross inner inverse tensordot kron vdot addr det diff
    """

  private static let comparisons = """
    eq ne gt ge lt le equal not_equal greater greater_equal less less_equal logical_and logical_or
    logical_xor logical_not isnan isinf isfinite allclose isclose is_nonzero
    """

  private static let resizing = """
    pad constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
    reflection_pad3d replication_pad3d upsample upsample_nearest1d upsample_nearest2d upsample_nearest3d
    upsample_trilinear3d _upsample_nearest_exact3d _upsample_lanczos2d_aa
    _upsample_nearest_exact1d _upsample_nearest_exact2d upsample_linear1d upsample_bilinear2d
    upsample_bicubic2d _upsample_bilinear2d_aa _upsample_bicubic2d_aa interpolate grid_sampler grid_sampler_2d
    affine_grid_generator __interpolate __upsample __upsample_bilinear __upsample_nearest _pad_circular
    """

  private static let creation = """
    zeros ones full empty arange linspace eye scalar_tensor zeros_like ones_like full_like empty_like new_zeros
    new_ones new_full new_empty tril_indices triu_indices zero_ fill_ fill tensor as_tensor lift_fresh
    """

  private static let casts = """
    to type_as float double half bfloat16 int long bool cpu cuda device dtype layout type item
    NumToTensor Int Float Bool ImplicitTensorToNum IntImplicit FloatImplicit ScalarImplicit Scalar autocast_to_full_precision
    autocast_to_reduced_precision _autocast_to_full_precision _autocast_to_reduced_precision
    _version requires_grad is_cuda is_cpu is_floating_point is_complex is_quantized is_sparse is_mkldnn
    is_leaf is_scripting _has_torch_function
    """

  /// Lists, texts and numbers of the script itself.
  private static let script = """
    __getitem__ __setitem__ _set_item __contains__ __derive_index __range_length __is__ __isnot__ __not__
    __and__ __or__ __xor__ __iand__ __ior__ __lshift__ __rshift__ append extend insert pop clear remove
    reverse list copy len size numel dim ndimension keys values items get update setdefault dict
    contains_key format str string strip lower upper join startswith endswith replace find count ord chr
    center title partition hash indices column_stack is_signed is_meta
    sorted divmod range enumerate zip bin hex oct
    get_dim numel ndim shape is_same_size sym_size sym_numel _shape_as_tensor percentFormat
    """

  /// Operations of the interpreter; what prints is taken out of the graph.
  private static let primitives = """
    Constant GetAttr SetAttr If Loop ListConstruct ListUnpack TupleConstruct TupleUnpack TupleIndex TupleSlice
    DictConstruct CallMethod CallFunction Uninitialized RaiseException unchecked_cast unchecked_unwrap_optional
    isinstance annotate unwrap unwrap_optional _unwrap_optional min max abs Return Param EnumName EnumValue
    rangelist StringIndex print warn Print
    """
}
