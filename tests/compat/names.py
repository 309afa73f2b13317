"""The names that PyTorch programs use, by what they are for. See test_names.py.

PRESENT: module or class -> names that are there. REFUSED: names that say why not.
"""

PRESENT = {
    "torch": """
        tensor as_tensor from_numpy Tensor FloatTensor DoubleTensor HalfTensor
        LongTensor IntTensor ShortTensor CharTensor ByteTensor BoolTensor is_tensor
        zeros ones empty full rand randn randint randperm arange linspace logspace eye
        zeros_like ones_like empty_like full_like rand_like randn_like randint_like
        float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool
        float double half long int short dtype device Size layout strided finfo iinfo
        inf nan pi e newaxis get_default_dtype set_default_dtype set_default_tensor_type

        manual_seed seed initial_seed get_rng_state set_rng_state Generator normal
        bernoulli multinomial default_generator

        add sub mul div pow sqrt rsqrt square exp log log2 log10 log1p expm1 sin cos tan
        asin acos atan atan2 sinh cosh tanh sigmoid relu softmax log_softmax abs neg
        sign floor ceil round trunc frac fmod remainder clamp clip maximum minimum where
        lerp addcmul addcdiv reciprocal erf isnan isinf isfinite eq ne lt le gt ge equal
        allclose isclose logical_and logical_or logical_not logical_xor

        sum mean prod std var max min amax amin argmax argmin norm logsumexp cumsum
        cumprod all any median mode quantile count_nonzero unique histogram histc
        bincount std_mean var_mean dist

        matmul mm bmm mv dot outer einsum tensordot addmm baddbmm addmv chain_matmul
        inverse det cross tril triu tril_indices triu_indices diag diagonal diag_embed
        trace kron cdist

        cat concat concatenate stack split chunk hstack vstack squeeze unsqueeze flatten
        reshape transpose permute movedim swapaxes t flip roll rot90 tile meshgrid
        broadcast_to broadcast_tensors gather scatter index_select masked_select take
        take_along_dim nonzero topk sort argsort searchsorted bucketize
        repeat_interleave unbind narrow numel

        no_grad enable_grad inference_mode set_grad_enabled is_grad_enabled autograd
        save load compile set_printoptions set_num_threads get_num_threads
        use_deterministic_algorithms set_float32_matmul_precision autocast
        get_default_device set_default_device typename
        conv1d conv2d conv_transpose2d max_pool2d dropout layer_norm embedding

        nn optim utils distributions linalg special func random cuda mps backends amp
        accelerator multiprocessing distributed onnx hub serialization jit version
        testing types fft sparse channels_last contiguous_format preserve_format""",
    "torch.nn": """
        Module Parameter Sequential ModuleList ModuleDict ParameterList ParameterDict
        Linear Bilinear Identity Embedding EmbeddingBag Flatten Unflatten
        Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d
        MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d
        AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool2d Upsample PixelShuffle
        PixelUnshuffle Unfold Fold ZeroPad2d ReflectionPad2d ReplicationPad2d
        BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm2d GroupNorm LayerNorm RMSNorm
        LocalResponseNorm SyncBatchNorm Dropout Dropout1d Dropout2d Dropout3d
        AlphaDropout ReLU ReLU6 LeakyReLU PReLU ELU SELU CELU GELU SiLU Mish Tanh
        Sigmoid Softmax LogSoftmax Softplus Softsign Hardtanh Hardswish Hardsigmoid GLU
        Threshold LogSigmoid Softmax2d RNN LSTM GRU RNNCell LSTMCell GRUCell RNNBase
        MultiheadAttention Transformer TransformerEncoder TransformerEncoderLayer
        TransformerDecoder TransformerDecoderLayer CrossEntropyLoss NLLLoss MSELoss
        L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss KLDivLoss
        CosineEmbeddingLoss TripletMarginLoss MarginRankingLoss PoissonNLLLoss
        GaussianNLLLoss CosineSimilarity PairwiseDistance DataParallel
        functional init utils parallel modules parameter""",
    "torch.nn.functional": """
        relu relu6 leaky_relu elu selu celu gelu silu mish tanh sigmoid softplus
        softsign hardtanh hardswish logsigmoid glu softmax log_softmax softmin
        gumbel_softmax
        linear bilinear embedding embedding_bag one_hot dropout dropout1d dropout2d
        alpha_dropout conv1d conv2d conv3d conv_transpose1d conv_transpose2d
        max_pool1d max_pool2d avg_pool1d avg_pool2d adaptive_avg_pool1d
        adaptive_avg_pool2d adaptive_max_pool2d lp_pool2d unfold fold pad interpolate
        upsample pixel_shuffle grid_sample affine_grid batch_norm instance_norm
        layer_norm group_norm rms_norm local_response_norm normalize
        scaled_dot_product_attention cross_entropy nll_loss mse_loss l1_loss
        smooth_l1_loss huber_loss binary_cross_entropy binary_cross_entropy_with_logits
        kl_div cosine_embedding_loss triplet_margin_loss margin_ranking_loss
        poisson_nll_loss gaussian_nll_loss cosine_similarity pairwise_distance""",
    "torch.nn.init": """
        normal_ uniform_ zeros_ ones_ constant_ eye_ dirac_ xavier_uniform_
        xavier_normal_ kaiming_uniform_ kaiming_normal_ orthogonal_ sparse_
        trunc_normal_ calculate_gain normal uniform constant xavier_uniform
        xavier_normal kaiming_uniform kaiming_normal orthogonal""",
    "torch.nn.utils": """
        clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters
        weight_norm spectral_norm remove_weight_norm remove_spectral_norm rnn
        parametrizations parametrize""",
    "torch.nn.utils.rnn": """
        pack_padded_sequence pad_packed_sequence pad_sequence pack_sequence
        PackedSequence""",
    "torch.nn.parallel": "DataParallel DistributedDataParallel data_parallel",
    "torch.nn.parameter": "Parameter",
    "torch.nn.modules": "Module Linear",
    "torch.nn.modules.activation": "ReLU MultiheadAttention",
    "torch.nn.modules.batchnorm": "_BatchNorm _NormBase BatchNorm2d",
    "torch.nn.modules.container": "ModuleList Sequential",
    "torch.nn.modules.conv": "Conv2d _ConvNd",
    "torch.nn.modules.dropout": "Dropout _DropoutNd",
    "torch.nn.modules.linear": "Linear NonDynamicallyQuantizableLinear",
    "torch.nn.modules.loss": "CrossEntropyLoss _Loss _WeightedLoss",
    "torch.nn.modules.module": "Module",
    "torch.nn.modules.normalization": "LayerNorm GroupNorm",
    "torch.nn.modules.pixelshuffle": "PixelShuffle",
    "torch.nn.modules.pooling": "MaxPool2d",
    "torch.nn.modules.rnn": "RNN LSTM GRU RNNBase",
    "torch.nn.modules.sparse": "Embedding",
    "torch.nn.modules.transformer": "TransformerEncoder TransformerEncoderLayer",
    "torch.nn.modules.upsampling": "Upsample",
    "torch.nn.modules.utils": "_single _pair _triple",
    "torch.optim": """
        Optimizer SGD Adam AdamW Adamax NAdam RAdam Adagrad Adadelta RMSprop Rprop ASGD
        LBFGS lr_scheduler swa_utils""",
    "torch.optim.optimizer": "Optimizer",
    "torch.optim.adam": "Adam",
    "torch.optim.adamw": "AdamW",
    "torch.optim.sgd": "SGD",
    "torch.optim.lr_scheduler": """
        LRScheduler _LRScheduler StepLR MultiStepLR ExponentialLR CosineAnnealingLR
        CosineAnnealingWarmRestarts LambdaLR LinearLR ConstantLR PolynomialLR CyclicLR
        OneCycleLR ReduceLROnPlateau SequentialLR ChainedScheduler MultiplicativeLR""",
    "torch.utils.data": """
        Dataset IterableDataset TensorDataset ConcatDataset Subset random_split
        DataLoader Sampler RandomSampler SequentialSampler SubsetRandomSampler
        WeightedRandomSampler BatchSampler DistributedSampler default_collate
        get_worker_info distributed""",
    "torch.utils.data.dataloader": "DataLoader default_collate",
    "torch.utils.data.dataset": "Dataset Subset random_split",
    "torch.utils.data.distributed": "DistributedSampler",
    "torch.utils.data.sampler": "Sampler RandomSampler SubsetRandomSampler",
    "torch.utils.checkpoint": "checkpoint checkpoint_sequential",
    "torch.distributions": """
        Distribution Categorical Normal Bernoulli Uniform Beta Gamma Exponential
        Laplace MultivariateNormal Independent kl_divergence""",
    "torch.distributions.normal": "Normal",
    "torch.distributions.categorical": "Categorical",
    "torch.distributions.kl": "kl_divergence",
    "torch.autograd": """
        Variable Function grad backward gradcheck gradgradcheck no_grad enable_grad
        set_grad_enabled detect_anomaly set_detect_anomaly functional""",
    "torch.autograd.function": "Function",
    "torch.autograd.functional": "jacobian hessian vjp jvp hvp vhp",
    "torch.linalg": """
        norm vector_norm matrix_norm inv det slogdet solve lstsq eigh eigvalsh svd
        svdvals qr cholesky pinv matrix_rank matrix_power multi_dot cross""",
    "torch.func": "functional_call",
    "torch.special": "expit logit erf erfc entr xlogy softmax digamma",
    "torch.random": "manual_seed fork_rng get_rng_state",
    "torch.serialization": "safe_globals add_safe_globals load save",
    "torch.multiprocessing": """
        spawn Process Queue set_start_method get_context set_sharing_strategy""",
    "torch.distributed": """
        is_available is_initialized init_process_group destroy_process_group get_rank
        get_world_size barrier all_reduce broadcast ReduceOp""",
    "torch.jit": "script trace ignore unused is_scripting",
    "torch.cuda": """
        is_available device_count current_device set_device get_device_name
        get_device_properties get_device_capability manual_seed manual_seed_all
        synchronize empty_cache is_bf16_supported memory_allocated max_memory_allocated
        reset_peak_memory_stats FloatTensor LongTensor ByteTensor Event Stream device
        OutOfMemoryError amp""",
    "torch.cuda.amp": "autocast GradScaler",
    "torch.mps": "is_available manual_seed synchronize empty_cache",
    "torch.amp": "autocast GradScaler",
    "torch.accelerator": "current_accelerator is_available device_count synchronize",
    "torch.backends.cudnn": "benchmark deterministic enabled allow_tf32 version",
    "torch.backends.cuda": "matmul is_built sdp_kernel enable_flash_sdp",
    "torch.backends.cuda.matmul": "allow_tf32",
    "torch.backends.mps": "is_available is_built",
    "torch.backends.mkldnn": "is_available",
    "torch.backends.openmp": "is_available",
    "torch.version": "__version__ cuda",
    "torch.testing": "assert_close",
    "torch.types": "Number Device",
    "torchvision.transforms": """
        Compose ToTensor Normalize Resize CenterCrop RandomCrop RandomHorizontalFlip Pad
        Lambda""",
    "torchvision.datasets": """
        MNIST FashionMNIST CIFAR10 CIFAR100 FakeData ImageFolder LSUN""",
    "torchvision.utils": "make_grid save_image",
    "torchvision.models": "resnet18",
    "torch.Tensor": """
        shape dtype device layout ndim T mT requires_grad grad grad_fn is_leaf data
        is_cuda is_mps is_cpu is_sparse size stride dim numel nelement element_size
        storage_offset data_ptr is_contiguous contiguous item tolist numpy to cpu cuda
        type type_as float double half bfloat16 long int short char byte bool
        clone detach detach_ backward requires_grad_ retain_grad register_hook
        pin_memory is_pinned share_memory_ is_shared get_device new new_zeros new_ones
        new_full new_empty new_tensor

        view view_as reshape reshape_as flatten unflatten squeeze unsqueeze transpose
        permute t movedim expand expand_as repeat repeat_interleave split chunk unbind
        unfold narrow select flip roll tile squeeze_ unsqueeze_ transpose_ t_ ravel
        diagonal tril triu diag

        abs neg exp log log2 log10 log1p sqrt rsqrt square pow sin cos tanh sigmoid relu
        softmax log_softmax clamp clip floor ceil round sign erf reciprocal add sub mul
        div matmul mm bmm mv dot ger addmm eq ne lt le gt ge equal allclose isnan
        logical_and logical_not where maximum minimum lerp remainder fmod

        sum mean std var max min amax amin argmax argmin norm prod cumsum cumprod all
        any median mode sort argsort topk unique nonzero logsumexp kthvalue
        count_nonzero bincount histc multinomial

        gather scatter scatter_ scatter_add scatter_add_ index_select index_fill_
        index_add_ index_copy_ index_put_ masked_fill masked_fill_ masked_select
        masked_scatter_ take put_

        add_ sub_ mul_ div_ pow_ exp_ log_ sqrt_ neg_ abs_ clamp_ clip_ zero_ fill_
        copy_ round_ floor_ relu_ sigmoid_ tanh_ addmm_ addcmul_ addcdiv_ lerp_
        normal_ uniform_ random_ bernoulli_ exponential_ resize_ fill_diagonal_""",
    "torch.nn.Module": """
        parameters named_parameters buffers named_buffers children named_children
        modules named_modules state_dict load_state_dict train eval zero_grad apply to
        cpu cuda float double half bfloat16 type requires_grad_ register_buffer
        register_parameter register_module add_module get_parameter get_submodule
        register_forward_hook register_forward_pre_hook register_full_backward_hook
        extra_repr share_memory compile""",
    "torch.nn.LSTM": "flatten_parameters",
    "torch.optim.Optimizer": """
        step zero_grad state_dict load_state_dict add_param_group""",
    "torch.distributions.Normal": "sample rsample log_prob entropy cdf mean variance",
    "torch.distributions.Categorical": "sample log_prob entropy probs logits",
}

# Names, and a word of the reason that is given.
REFUSED = {
    "dense": """
        torch.sparse_coo_tensor torch.sparse_csr_tensor torch.spmm torch.sparse.mm
        torch.sparse.FloatTensor torch.Tensor.to_sparse torch.Tensor.coalesce
        torch.Tensor.indices torch.Tensor.values torch.optim.SparseAdam""",
    "complex": """
        torch.complex torch.polar torch.view_as_complex torch.view_as_real
        torch.complex64 torch.cfloat torch.fft.fft torch.fft.rfft2 torch.stft
        torch.linalg.eig torch.Tensor.angle""",
    "state_dict": "torch.onnx.export torch.jit.save torch.jit.load torch.export.export",
    "quantized": "torch.quantization.quantize_dynamic torch.quantize_per_tensor",
    "inside": """
        torch._C._get_tracing_state torch._dynamo.config torch.ops.aten
        torch.utils.cpp_extension.load""",
}
