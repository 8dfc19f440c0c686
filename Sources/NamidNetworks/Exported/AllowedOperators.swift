import NamidFiles

/// The ATen operators that an exported program may call; no other name is ever looked up.
///
/// All of them are functions of their arguments, or change a tensor that the graph itself has made: none reads or
/// writes files, draws random numbers, runs other code, or reaches beyond the bounds of a tensor.
enum AllowedOperators {
  /// Throws where a target of a graph is none of the operators that may run.
  static func check(_ target: String) throws(ExportedProgramError) {
    let operation = TargetName(target)
    switch operation.space {
    case .python: if PythonOperator(rawValue: operation.name) != nil { return }
    case .aten:
      if names.contains(operation.name) || OperatorRules.knows(operation.name) { return }
    case .other: break
    }
    throw ExportedProgramError(
      "\(quotedForPeople(target)) is not among the operators that may run",
      advice: advice(operation))
  }

  private static func advice(_ operation: TargetName) -> String {
    let random = ["rand", "bernoulli", "normal", "uniform", "multinomial", "exponential"]
    if operation.space == .other {
      return operation.name.hasPrefix("higher_order.")
        ? "take torch.no_grad, autocast and control flow out of the model's forward and export again"
        : "replace that custom operator by PyTorch's own in the model and export again"
    }
    if random.contains(where: operation.name.contains) {
      return ExportedProgramError.inEvaluationMode
    }
    if operation.name.hasPrefix("as_strided") {
      return "save torch.export.export(…) without run_decompositions"
    }
    return """
      save torch.export.export(…).run_decompositions() instead, or replace it in the model's forward
      """
  }

  /// All names, with overloads.
  static let names = Set(
    [convolutions, products, normalisations, activations, pooling, shapes, indexing]
      .joined(separator: "\n").split { " \n".contains($0) }.map(String.init)
      + [reductions, arithmetic, comparisons, resizing, creation, casts]
      .joined(separator: "\n").split { " \n".contains($0) }.map(String.init))

  private static let convolutions = """
    conv1d conv1d.padding conv2d conv2d.padding conv3d conv3d.padding convolution
    conv_transpose1d conv_transpose2d.input conv_transpose3d.input
    """

  private static let products = """
    linear matmul mm bmm mv dot addmm addbmm baddbmm einsum bilinear outer linalg_vector_norm
    linalg_matrix_norm linalg_norm norm.Scalar norm.ScalarOpt_dim frobenius_norm.dim
    scaled_dot_product_attention cosine_similarity cdist
    """

  private static let normalisations = """
    layer_norm group_norm instance_norm rms_norm softmax.int
    log_softmax.int _softmax _log_softmax
    """

  private static let activations = """
    relu relu_ relu6 relu6_ leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ gelu gelu_ silu silu_
    mish mish_ hardtanh hardtanh_ hardswish hardswish_ hardsigmoid hardsigmoid_ hardshrink softshrink
    softplus sigmoid sigmoid_ log_sigmoid tanh tanh_ prelu threshold threshold_ glu
    """

  private static let pooling = """
    max_pool1d max_pool2d max_pool3d max_pool2d_with_indices avg_pool1d avg_pool2d avg_pool3d
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d _adaptive_avg_pool2d
    adaptive_max_pool1d adaptive_max_pool2d
    """

  private static let shapes = """
    reshape flatten.using_ints unflatten.int permute transpose.int t numpy_T mT
    swapaxes swapdims movedim.int movedim.intlist moveaxis.int moveaxis.intlist
    squeeze squeeze.dim squeeze.dims unsqueeze expand expand_as
    broadcast_to broadcast_tensors cat concat concatenate stack hstack vstack dstack
    split.Tensor split.sizes split_with_sizes chunk tensor_split.sections tensor_split.indices unbind.int
    repeat repeat_interleave.self_int tile roll flip fliplr flipud rot90 unfold im2col col2im
    pixel_shuffle pixel_unshuffle channel_shuffle contiguous clone alias detach
    diagonal diag_embed tril triu tril_ triu_ atleast_1d atleast_2d atleast_3d meshgrid meshgrid.indexing
    ravel narrow
    """

  private static let indexing = """
    select.int slice.Tensor index.Tensor index_select gather take_along_dim embedding one_hot
    masked_fill.Scalar masked_fill.Tensor masked_fill_.Scalar masked_fill_.Tensor where.self
    where.ScalarSelf where.ScalarOther where.Scalar scatter.src scatter.value scatter_add
    scatter_.src scatter_.value scatter_add_ index_put index_put_ index_add index_copy select_scatter
    slice_scatter argmax argmin topk sort argsort max.dim min.dim cumsum cumprod copy copy_ searchsorted.Tensor
    """

  private static let reductions = """
    sum sum.dim_IntList mean mean.dim amax amin max min max.other min.other var.correction var var.dim
    std.correction std std.dim var_mean.correction std_mean.correction prod prod.dim_int logsumexp
    any any.dim any.dims all all.dim all.dims count_nonzero.dim_IntList median.dim
    """

  private static let arithmetic = """
    add.Tensor add.Scalar add_.Tensor add_.Scalar sub.Tensor sub.Scalar sub_.Tensor sub_.Scalar
    subtract.Tensor rsub.Scalar rsub.Tensor mul.Tensor mul.Scalar mul_.Tensor mul_.Scalar multiply.Tensor
    div.Tensor div.Scalar div_.Tensor div_.Scalar div.Tensor_mode div.Scalar_mode div_.Tensor_mode
    divide.Tensor true_divide.Tensor floor_divide floor_divide.Scalar fmod.Scalar fmod.Tensor
    remainder.Scalar remainder.Tensor neg neg_ abs abs_ sign sgn exp exp_ exp2 expm1 log log_ log2 log10
    log1p sqrt sqrt_ rsqrt rsqrt_ square square_ reciprocal pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar
    pow_.Scalar clamp clamp.Tensor clamp_ clamp_min clamp_min.Tensor clamp_min_ clamp_max clamp_max.Tensor
    clamp_max_ clip clip_ minimum maximum fmin fmax erf erfc erfinv sin cos tan asin acos atan atan2 sinh
    cosh asinh acosh atanh sinc floor ceil round round.decimals trunc frac lerp.Scalar lerp.Tensor
    addcmul addcdiv addcmul_ addcdiv_ nan_to_num nan_to_num_ logaddexp xlogy.Tensor heaviside hypot
    bitwise_and.Scalar bitwise_and.Tensor bitwise_or.Scalar bitwise_or.Tensor bitwise_xor.Scalar
    bitwise_xor.Tensor bitwise_not logit deg2rad rad2deg dist
    """

  private static let comparisons = """
    eq.Tensor eq.Scalar ne.Tensor ne.Scalar gt.Tensor gt.Scalar ge.Tensor ge.Scalar lt.Tensor lt.Scalar
    le.Tensor le.Scalar logical_and logical_or logical_xor logical_not isnan isinf isfinite
    """

  private static let resizing = """
    pad constant_pad_nd reflection_pad1d reflection_pad2d replication_pad1d replication_pad2d
    upsample_nearest1d upsample_nearest1d.vec upsample_nearest2d upsample_nearest2d.vec
    _upsample_nearest_exact2d _upsample_nearest_exact2d.vec upsample_linear1d upsample_linear1d.vec
    upsample_bilinear2d upsample_bilinear2d.vec upsample_bicubic2d upsample_bicubic2d.vec
    _upsample_bilinear2d_aa _upsample_bilinear2d_aa.vec _upsample_bicubic2d_aa _upsample_bicubic2d_aa.vec
    grid_sampler grid_sampler_2d affine_grid_generator
    """

  private static let creation = """
    zeros ones full arange arange.start arange.start_step linspace eye eye.m scalar_tensor zeros_like
    ones_like full_like new_zeros new_ones new_full tril_indices triu_indices zero_ fill_.Scalar fill_.Tensor
    fill.Scalar fill.Tensor
    """

  private static let casts = """
    to.dtype to.device to.dtype_layout to.other _to_copy type_as
    """
}
