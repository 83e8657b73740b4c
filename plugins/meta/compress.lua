---@meta
-- What pipelines and plugins can say, for editors. Written by `compress meta`; changes here are lost.

---@class DistillOptions
---@field teacher Model # takes the same samples, tells the same classes
---@field temperature? number # softens both outputs; default 4
---@field alpha? number # how much the teacher counts; default 0.9
---@field labels? boolean # false to learn from the teacher alone: any network, whatever its outputs mean; default true
---@field loss? "squared"|"absolute" # without labels: how far values are from the teacher's; squared by default
---@field values? string[] # without labels: layers whose outputs are to be the teacher's; all outputs by default

---@class TrainOptions
---@field data Data # samples to learn from
---@field epochs? integer # times that every sample is seen; default 1
---@field batch? integer # samples to a step; default 32
---@field optimizer? "adam"|"adamw"|"sgd" # default "adam"
---@field learning_rate? number|Plugin|BoundPlugin|fun(t: number): number # constant, or a schedule; the optimizer's own by default
---@field momentum? number # of sgd; default 0
---@field nesterov? boolean # sgd looks ahead; default false
---@field beta1? number # of adam and adamw; 0.9 by default
---@field beta2? number # of adam and adamw; 0.999 by default
---@field epsilon? number # of adam and adamw; 1e-7 by default
---@field weight_decay? number # pull of the weights towards zero; 0.01 by default for adamw, else 0
---@field decay_all? boolean # biases and batch norms decay too; default false
---@field entropy? number # loss for each bit that a weight takes in the mean once it is coded; default 0
---@field label_smoothing? number # share of the target that all classes get alike; default 0
---@field clip_norm? number # largest norm of the gradient of all parameters
---@field ema? number # decay of the weights' moving average, which is then the result
---@field validation? number|Data # measured on after every epoch: a share of the data, or samples of its own
---@field patience? integer # epochs without a lower validation loss before it ends; the best weights are the result
---@field recalibrate? integer # batches to measure batch norms' statistics on at the end; default 0
---@field distill? DistillOptions # a model to learn from besides the labels
---@field memory? "keep"|"recompute" # recompute takes less memory and more time, for the same result; default "keep"
---@field precision? "float32"|"bf16" # of the factors in convolutions and dense layers; bf16 where the CPU has AVX512_BF16; default "float32"
---@field shuffle? boolean # another order each epoch; default true
---@field seed? integer # of the order; the run's own by default
---@field on_step? fun(moment: TrainingMoment): TrainingChange? # called after every step
---@field on_epoch? fun(moment: TrainingMoment): TrainingChange? # called after every epoch

---@class TrainingChange
---@field learning_rate? number # from now on, in place of the option
---@field stop? boolean # ends the training here; default false

---@class RecalibrateOptions
---@field data Data # samples to measure on
---@field batches? integer # how many batches; default 100
---@field batch? integer # samples to a batch; default 32
---@field seed? integer # of the order; the run's own by default

---@class EqualizeOptions
---@field data? Data # samples by whose values channels are made alike; by weights alone without

---@class PermuteOptions
---@field columns? integer # channels to a block; default 4

---@class QuantizeOptions
---@field train? TrainOptions # training with rounded weights and activations
---@field learn_scales? boolean # whether that training moves the scales, too; default true

---@class PruneOptions
---@field sparsity? number|number[] # share of zeros among the weights of the layers pruned; a list: after each round
---@field schedule? Plugin|BoundPlugin|fun(t: number): number # sparsity over the course of the training, or over the rounds
---@field macs? number|number[] # filters and blocks: multiply-accumulates that stay, a share up to 1 or a number
---@field params? number|number[] # filters and blocks: parameters that stay, a share up to 1 or a number
---@field bytes? number|number[] # filters: bytes of the saved file that stay, a share up to 1 or a number
---@field latency_ms? number|number[] # filters and weights: milliseconds for one sample, as measured here
---@field ram? number|number[] # filters: bytes of memory that it takes in int8 as C source, a share up to 1 or a number
---@field flash? number|number[] # filters: bytes of weights and tables that it takes in int8 as C source, likewise
---@field device? Plugin|BoundPlugin # filters: alone, they go until the network in int8 fits its memory and flash; with latency_ms, that is what its table says, not what is measured here
---@field filters? number|number[] # filters: share of the filters that go
---@field blocks? number|number[] # residual blocks: share of the blocks that go
---@field ratios? number[]|number[][] # share that goes of each layer, or group of channels, in network order; or such a list for each round
---@field rounds? integer # remove in so many rounds, each followed by the training; default 1
---@field rewind? Model # weights: after each removal, what is left gets this earlier model's values again
---@field protect? string|string[] # layers left whole; "first" and "last" are those with weights; default {}
---@field keep_at_least? integer # filters: channels that each group keeps; default 1
---@field multiple_of? integer # filters: each group that loses channels keeps a multiple of so many, which kernels make the most of; default 1
---@field train? TrainOptions # training during and after the removal
---@field samples? Data # for strategies that need gradients or activations: what these are taken on; the first 512 of train.data by default
---@field reconstruct? Data # filters: samples, with or without labels, on which the weights that are left are fitted, layer by layer, to give what they gave before, by least squares; before any training
---@field every? integer # weights: steps between two removals; default 50
---@field ramp? number # weights: share of the training over which the schedule runs; the rest recovers; default 0.75

---@class FactorizeOptions
---@field energy? number # share of the sum of squares of each weight that stays
---@field ratio? number # share of each layer's weights that stays
---@field macs? number # multiply-accumulates that stay, a share up to 1 or a number
---@field params? number # parameters that stay, a share up to 1 or a number
---@field protect? string|string[] # layers left whole; "first" and "last" are those with weights; default {}

---@class ReinitializeOptions
---@field convolution? "glorot_uniform"|"he_normal"|"he_normal_fan_out"|"small_normal"|"truncated_normal"|"small_truncated_normal" # how weights are drawn; as in the beginning by default
---@field dense? "glorot_uniform"|"he_normal"|"he_normal_fan_out"|"small_normal"|"truncated_normal"|"small_truncated_normal" # likewise
---@field seed? integer # of the draw; the run's own by default

---@class SensitivityOptions
---@field strategy Plugin|BoundPlugin # what is pruned, and by what scores
---@field data Data # what accuracy or agreement is measured on
---@field shares? number[] # what goes of each part, ascending; default {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}
---@field protect? string|string[] # layers left whole; "first" and "last" are those with weights; default {}
---@field samples? Data # for strategies that need gradients or activations: what these are taken on
---@field by? "accuracy"|"agreement" # accuracy, or agreement with an original's outputs (the least cosine of any); by default accuracy where there are labels, and scores of classes
---@field original? Model # whose outputs agreement is with; the model given by default

---@class RatioTarget
---@field macs? number # multiply-accumulates that stay, a share up to 1 or a number
---@field params? number # parameters that stay, a share up to 1 or a number
---@field filters? number # share of the filters that go
---@field multiple_of? integer # groups give in steps that leave them a multiple of so many channels, always the group that loses least for what it saves; all give at the same loss without

---@class DifferencesOptions
---@field data Data # samples
---@field layers? integer # how many of the first samples layers are compared on; 0 for none; default 64
---@field worst? integer # how many samples are named; default 10
---@field by? "accuracy"|"agreement" # accuracy, or agreement with an original's outputs (the least cosine of any); by default accuracy where there are labels, and scores of classes

---@class AgreementOptions
---@field data Data # samples; their labels are not looked at

---@class RescueOptions
---@field within? number # how much accuracy may be lost: 0.001 is a tenth of a point
---@field cosine? number # how far outputs are to agree with the original's, without labels: the least cosine of any of them
---@field data Data # what accuracy or agreement is measured on
---@field samples? integer # of these the first so many tell which layers matter; default 64

---@class MixOptions
---@field within? number # how much accuracy may be lost: 0.001 is a tenth of a point
---@field cosine? number # how far outputs are to agree with the original's, without labels: the least cosine of any of them
---@field bytes? integer # the largest native file
---@field latency_ms? number # the longest that it may take by the device's latency table
---@field device? Plugin|BoundPlugin # what it is for: with a latency table, layers are weighed by what they take there, not by their bytes
---@field data Data # what accuracy or agreement is measured on
---@field samples? integer # of these the first so many tell which layers matter; default 64

---@class PackOptions
---@field lambda? number # the squared error of the outputs, relative to theirs, that a bit for every weight is worth; 0.01 is a good start, 0 takes as many levels as there are
---@field within? number # how much accuracy on the data may be lost, or of the cosine of outputs where it has no labels: 0.001 is a tenth of a point
---@field bytes? integer # the largest packed file
---@field data Data # samples to round by, and that accuracy is measured on; of the training
---@field samples? integer # how many of them, drawn at random, are looked at by those who round; default 512
---@field seed? integer # of the draw; the run's own by default

---@class CompareOptions
---@field on Data # samples that accuracy is measured on
---@field images? integer # how many are timed one by one; default 1000
---@field order? "first"|"random" # which ones; default "first"
---@field warmup? integer # runs before the first sample; default 50
---@field cooldown? number # seconds of rest before each variant, shared out over its turns; default 0
---@field turns? integer # in how many processes each variant is timed, in between the others; default 3
---@field [integer] [string, Model] # a variant: its name, its model

---@class EvaluateOptions
---@field on? Data # samples; the test half of the script's data set by default
---@field by? "accuracy"|"agreement" # accuracy, or agreement with an original's outputs (the least cosine of any); by default accuracy where there are labels, and scores of classes
---@field original? Model # whose outputs agreement is with; the model given by default

---@class MeasureOptions
---@field data Data
---@field images? integer # default 1000

---@class ImageOptions
---@field normalize? "cifar10"|"cifar100"|"fashion_mnist"|"imagenet"|"mnist"|"symmetric"|NormalizationOptions # (pixel - mean) / std, by the numbers of a data set or your own
---@field scale? number # pixels from 0 to this; 1 by default, 255 leaves bytes what they are
---@field resize? integer|number[] # side, or { height, width }; bilinear
---@field channels? integer # 1 (grey) or 3 (colour)

---@class DatasetOptions
---@field normalize? "cifar10"|"cifar100"|"fashion_mnist"|"imagenet"|"mnist"|"symmetric"|NormalizationOptions # (pixel - mean) / std, by the numbers of a data set or your own
---@field scale? number # pixels from 0 to this; 1 by default, 255 leaves bytes what they are
---@field resize? integer|number[] # side, or { height, width }; bilinear
---@field channels? integer # 1 (grey) or 3 (colour)
---@field size? integer # of image folders: side of the square cut out of the middle; 224 by default
---@field short_side? integer # of image folders: pixels of the shorter side before that; 256 for each 224 of size by default
---@field broken? "error"|"skip" # of image folders: whether an image that cannot be read is an error (the default) or left out
---@field labels? "fine"|"coarse" # of cifar100: its 100 classes (fine, the default) or their 20 groups

---@class AugmentOptions
---@field pad_crop? integer # pixels of black around the image, which is then cropped at random; default 0
---@field flip? boolean # mirrors every other image; default false
---@field brightness? number # a factor from 1 - x to 1 + x; default 0
---@field contrast? number # a factor from 1 - x to 1 + x; default 0
---@field saturation? number # a factor from 1 - x to 1 + x; default 0
---@field cutout? integer # side of a square that becomes 0 after normalization; default 0
---@field seed? integer # the run's own by default

---@class ImageFolderOptions
---@field classes? string[] # class folders in the order of their labels; all, by name, by default
---@field labels? boolean # false: all images of the folder and the folders in it, whatever they show; default true
---@field crop? boolean # false: the whole picture becomes what `resize` or `size` says, nothing is cut off; default true
---@field size? integer # of image folders: side of the square cut out of the middle; 224 by default
---@field short_side? integer # of image folders: pixels of the shorter side before that; 256 for each 224 of size by default
---@field broken? "error"|"skip" # of image folders: whether an image that cannot be read is an error (the default) or left out
---@field normalize? "cifar10"|"cifar100"|"fashion_mnist"|"imagenet"|"mnist"|"symmetric"|NormalizationOptions # (pixel - mean) / std, by the numbers of a data set or your own
---@field scale? number # pixels from 0 to this; 1 by default, 255 leaves bytes what they are
---@field resize? integer|number[] # side, or { height, width }; bilinear
---@field channels? integer # 1 (grey) or 3 (colour)

---@class NumpyOptions
---@field images? string # name of the samples in an .npz; default "images"
---@field labels? string # name of the labels in an .npz; default "labels"
---@field labels_file? string # of an .npy: the file with the labels
---@field layout? "hwc"|"chw" # how samples of three axes lie: hwc, height, width, channels; or chw, channels first; default "hwc"
---@field classes? integer # number of classes; one more than the largest label by default
---@field first_label? integer # what the file calls the first class; default 0
---@field normalize? "cifar10"|"cifar100"|"fashion_mnist"|"imagenet"|"mnist"|"symmetric"|NormalizationOptions # (pixel - mean) / std, by the numbers of a data set or your own
---@field scale? number # pixels from 0 to this; 1 by default, 255 leaves bytes what they are
---@field resize? integer|number[] # side, or { height, width }; bilinear
---@field channels? integer # 1 (grey) or 3 (colour)

---@class IdxOptions
---@field classes? integer # number of classes; one more than the largest label by default
---@field first_label? integer # what the file calls the first class; default 0
---@field normalize? "cifar10"|"cifar100"|"fashion_mnist"|"imagenet"|"mnist"|"symmetric"|NormalizationOptions # (pixel - mean) / std, by the numbers of a data set or your own
---@field scale? number # pixels from 0 to this; 1 by default, 255 leaves bytes what they are
---@field resize? integer|number[] # side, or { height, width }; bilinear
---@field channels? integer # 1 (grey) or 3 (colour)

---@class LoadOptions
---@field into? Model # the network that a file of weights alone (safetensors, PyTorch) belongs to; its own weights are not used
---@field ignore? string|string[] # tensors of that file that are left out; * stands for anything
---@field rename? table<string, string> # names in that file, or patterns of them, and what they are in the network
---@field inputs? table<string, integer[]> # shapes of an ONNX file's inputs that vary, by their names, with the batch, in the file's order of axes
---@field allow_unknown? boolean # leaves out of an ONNX file what is not known, and all that follows it; default false

---@class CropOptions
---@field short_side integer # pixels of the shorter side before
---@field size integer # side of the square cut out of the middle

---@class PreprocessingOptions
---@field scale? number # pixels from 0 to this before mean and std; 1 by default
---@field mean? number[] # of each channel, or one for all; 0 by default
---@field std? number[] # standard deviations; 1 by default
---@field crop? CropOptions # cut out before resizing; the whole picture by default

---@class DescribeOptions
---@field classes? string[] # names of the classes, one for each score of the first output
---@field preprocessing? PreprocessingOptions # how a picture becomes what the network takes

---@class WeightQuantization
---@field type? "integer"|"float16"|"bfloat16"|"levels"|"clusters" # default "integer"
---@field bits? integer # of integers and levels; default 8
---@field symmetric? boolean # default true
---@field per? "channel"|"tensor" # scale of integers; default "channel"
---@field fit? "minmax"|"mse" # of integers; default "minmax"
---@field power_of_two? boolean # scales of integers; default false
---@field rounding? "nearest"|"learned" # of integers; default "nearest"
---@field spacing? "linear"|"log"|"tanh" # of levels; default "linear"
---@field clusters? integer # how many; default 16

---@class ActivationQuantization
---@field bits? integer # up to 8 of logarithms and tanh; default 8
---@field observer? "minmax"|"moving_average"|"percentile"|"entropy"|"mse" # default "minmax"
---@field percentile? number # of that observer; default 99.99
---@field momentum? number # of the moving average; default 0.9
---@field spacing? "linear"|"log"|"tanh" # default "linear"
---@field symmetric? boolean # default false
---@field power_of_two? boolean # default false

---@class NormQuantization
---@field bits? integer # default 8
---@field spacing? "linear"|"log"|"tanh" # default "linear"

---@class LayerQuantization
---@field weights WeightQuantization
---@field activations? ActivationQuantization
---@field correct_bias? boolean # whether the bias takes back what quantization adds to the mean of the output; default false
---@field norm? NormQuantization # of the batch norm folded into the layer; float32 without it

---@class DeviceDescription
---@field bits number[] # of weights that it runs: 8, 32 …
---@field operators? string[] # that it runs, as native files call them; all without it
---@field ram? integer # bytes of memory for the network
---@field flash? integer # bytes for its weights and tables
---@field clock? number # in Hz
---@field sources string[] # where all this is from
---@field table? string # a file of compress bench --table beside the plugin

---@class NetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default

---@class WidthNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field width? number # multiplies the filters

---@class StemWidthNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field stem? "imagenet"|"cifar" # as published, or with finer first steps for small images
---@field width? number # multiplies the filters

---@class ClassifierWidthDropoutNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field classifier? "full"|"linear" # three dense layers, or one
---@field width? number # multiplies the filters
---@field dropout? number # before dense layers; 0 for none

---@class StemWidthDropoutNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field stem? "imagenet"|"cifar" # as published, or with finer first steps for small images
---@field width? number # multiplies the filters
---@field dropout? number # before dense layers; 0 for none

---@class WidthDropoutNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field width? number # multiplies the filters
---@field dropout? number # before dense layers; 0 for none

---@class ClasslessWidthNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field seed? integer # of the first weights; the run's own by default
---@field width? number # multiplies the filters

---@class WidthDepthUpsamplingNetworkOptions
---@field input? number[] # height, width, channels of an image; or the length of a vector
---@field classes? integer # the network's own by default
---@field seed? integer # of the first weights; the run's own by default
---@field width? number # multiplies the filters
---@field depth? integer # how often the image is halved
---@field upsampling? "bilinear"|"nearest" # how images are enlarged

---@class LayerOptions
---@field name? string # of the layer, in tables and files

---@class ConvOptions
---@field stride? integer|number[] # one number, or {height, width}
---@field padding? "same"|"valid"|integer|number[] # pixels of zeros: on every side, {height, width} or {top, left, bottom, right}
---@field dilation? integer|number[]
---@field groups? integer # default 1
---@field bias? boolean # whether it has one; default true
---@field name? string # of the layer, in tables and files

---@class TransposedOptions
---@field stride? integer|number[] # one number, or {height, width}
---@field padding? integer|number[] # pixels taken away on every side, or {height, width}
---@field output_padding? integer|number[] # rows and columns more at bottom and right
---@field groups? integer # default 1
---@field bias? boolean # whether it has one; default true
---@field name? string # of the layer, in tables and files

---@class DepthwiseOptions
---@field stride? integer|number[] # one number, or {height, width}
---@field padding? "same"|"valid"|integer|number[] # pixels of zeros: on every side, {height, width} or {top, left, bottom, right}
---@field dilation? integer|number[]
---@field multiplier? integer # filters for each channel; default 1
---@field bias? boolean # whether it has one; default true
---@field name? string # of the layer, in tables and files

---@class DenseOptions
---@field bias? boolean # whether it has one; default true
---@field name? string # of the layer, in tables and files

---@class BatchNormOptions
---@field epsilon? number # default 1e-05
---@field momentum? number # share of the running statistics that a step keeps; default 0.9
---@field name? string # of the layer, in tables and files

---@class PoolOptions
---@field stride? integer|number[] # one number, or {height, width}
---@field padding? "same"|"valid"|integer|number[] # pixels of zeros: on every side, {height, width} or {top, left, bottom, right}
---@field name? string # of the layer, in tables and files

---@class AveragePoolOptions
---@field stride? integer|number[] # one number, or {height, width}
---@field padding? "same"|"valid"|integer|number[] # pixels of zeros: on every side, {height, width} or {top, left, bottom, right}
---@field counts_padding? boolean # whether padding counts as zeros in the mean; default false
---@field name? string # of the layer, in tables and files

---@class Blocks
---@field name? string # comes before the names of the layers inside: name.conv_1
---@field [integer] Block|false # false is left out

---@class ResidualBlocks
---@field shortcut? Block|false # what the input goes through before it is added; false for nothing
---@field name? string # comes before the names of the layers inside: name.conv_1
---@field [integer] Block|false # false is left out

---@class ConstantOptions
---@field trained? boolean # whether training moves it: positions, a class token; default false
---@field name? string # of the layer, in tables and files

---@class MatMulOptions
---@field transposed? boolean # whether the second is given by columns: {n, k} for {k, n}; default false
---@field name? string # of the layer, in tables and files

---@class ReduceOptions
---@field keep? boolean # whether the axes stay, with one element each; default false
---@field name? string # of the layer, in tables and files

---@class NormOptions
---@field epsilon? number # default 1e-05
---@field affine? boolean # whether a scale and a shift of each channel are learned; default true
---@field name? string # of the layer, in tables and files

---@class DepthOptions
---@field order? "dcr"|"crd" # whether channels are by pixel first (TensorFlow) or by channel first (PyTorch); default "dcr"
---@field name? string # of the layer, in tables and files

---@class ResizeOptions
---@field mode? "nearest"|"bilinear" # default "nearest"
---@field align_corners? boolean # whether corners stay corners, for bilinear; default false
---@field name? string # of the layer, in tables and files

---@class NetworkDefinition
---@field input? number[] # height, width, channels of an image, or one number: where blocks follow in a row
---@field inputs? Value[] # made by net.input, in their order; instead of input and blocks
---@field outputs? Value[] # what the network computes, in its order
---@field name? string # in tables and plans; default "network"
---@field convolution? "glorot_uniform"|"he_normal"|"he_normal_fan_out"|"small_normal"|"truncated_normal"|"small_truncated_normal" # how weights of convolutions are drawn; default "he_normal"
---@field dense? "glorot_uniform"|"he_normal"|"he_normal_fan_out"|"small_normal"|"truncated_normal"|"small_truncated_normal" # how weights of dense layers are drawn; default "glorot_uniform"
---@field seed? integer # of the first weights; the run's own by default
---@field [integer] Block|false # false is left out

---@class OptionDeclaration
---@field type "boolean"|"integer"|"number"|"ratio"|"string"|"choice"|"patterns"|"numbers"|"data"|"model"|"schedule"
---@field default? any
---@field optional? boolean
---@field help? string
---@field min? number
---@field max? number
---@field [integer] string # the names of a choice

---@alias PruningUnit "weight"|"filter"|"block"|{ rows: integer, columns: integer }|{ keep: integer, of: integer }

---@class PruningPlugin
---@field kind "pruning"
---@field summary string
---@field options? table<string, OptionDeclaration>
---@field scope? "global"|"layer"
---@field unit? PruningUnit|fun(options: table): PruningUnit
---@field normalize? boolean
---@field elementwise? boolean
---@field needs? ("gradient"|"activations")[]
---@field score fun(layer: Layer, ctx: { options: table }): Tensor|false
---@field gather? fun(layer: Layer, gathered: Tensor?, ctx: { options: table }): Tensor

---@class SchedulePlugin
---@field kind "schedule"
---@field summary string
---@field options? table<string, OptionDeclaration>
---@field at fun(t: number, options: table): number

---@class QuantizationPlugin
---@field kind "quantization"
---@field summary string
---@field options? table<string, OptionDeclaration>
---@field assign fun(layer: Layer, options: table): LayerQuantization?

---@class DevicePlugin
---@field kind "device"
---@field summary string
---@field options? table<string, OptionDeclaration>
---@field describe fun(options: table): DeviceDescription

---@class Tensor
---@field count integer # elements
---@field dtype string # float32, float16 …
---@field rank integer # axes
---@operator add(Tensor|number): Tensor
---@operator sub(Tensor|number): Tensor
---@operator mul(Tensor|number): Tensor
---@operator div(Tensor|number): Tensor
---@operator pow(Tensor|number): Tensor
---@operator unm: Tensor
local Tensor = {}

---abs of each element.
---@return Tensor
function Tensor:abs() end

---add of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:add(other) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:argmax(axes, keep) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:argmin(axes, keep) end

---The positions of all elements, sorted by value.
---@param descending? boolean
---@return Tensor
function Tensor:argsort(descending) end

---One element.
---@param ... integer
---@return number
function Tensor:at(...) end

---ceil of each element.
---@return Tensor
function Tensor:ceil() end

---Each element within bounds.
---@param low number
---@param high number
---@return Tensor
function Tensor:clamp(low, high) end

---Running sums over all elements in order, or along an axis.
---@param axis? integer
---@return Tensor
function Tensor:cumsum(axis) end

---div of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:div(other) end

---eq of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:eq(other) end

---exp of each element.
---@return Tensor
function Tensor:exp() end

---floor of each element.
---@return Tensor
function Tensor:floor() end

---ge of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:ge(other) end

---gt of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:gt(other) end

---The k-th smallest element, from 1.
---@param k integer
---@return number
function Tensor:kth_smallest(k) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:l1(axes, keep) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:l2(axes, keep) end

---le of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:le(other) end

---log of each element.
---@return Tensor
function Tensor:log() end

---Of each pair of elements; 0 is false.
---@param other Tensor
---@return Tensor
function Tensor:logical_and(other) end

---1 where an element is 0.
---@return Tensor
function Tensor:logical_not() end

---Of each pair of elements; 0 is false.
---@param other Tensor
---@return Tensor
function Tensor:logical_or(other) end

---Of each pair of elements; 0 is false.
---@param other Tensor
---@return Tensor
function Tensor:logical_xor(other) end

---lt of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:lt(other) end

---The matrix product.
---@param other Tensor
---@return Tensor
function Tensor:matmul(other) end

---Of the matrices in the last two axes: singular values above the tolerance times the greatest.
---@param tolerance? number
---@return Tensor
function Tensor:matrix_rank(tolerance) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:max(axes, keep) end

---max of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:maximum(other) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:mean(axes, keep) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:min(axes, keep) end

---min of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:minimum(other) end

---mul of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:mul(other) end

---ne of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:ne(other) end

---neg of each element.
---@return Tensor
function Tensor:neg() end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:nonzero(axes, keep) end

---pow of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:pow(other) end

---The same tensor with other values at positions.
---@param positions Tensor
---@param values Tensor
---@return Tensor
function Tensor:put(positions, values) end

---reciprocal of each element.
---@return Tensor
function Tensor:reciprocal() end

---relu of each element.
---@return Tensor
function Tensor:relu() end

---The same elements in another shape; -1 is worked out.
---@param ... integer|integer[]
---@return Tensor
function Tensor:reshape(...) end

---round of each element.
---@return Tensor
function Tensor:round() end

---One position of an axis, which goes away.
---@param axis integer
---@param index integer
---@return Tensor
function Tensor:select(axis, index) end

---Its extents.
---@return integer[]
function Tensor:shape() end

---sigmoid of each element.
---@return Tensor
function Tensor:sigmoid() end

---sign of each element.
---@return Tensor
function Tensor:sign() end

---Of the matrices in the last two axes, greatest first.
---@return Tensor
function Tensor:singular_values() end

---Positions first to last of an axis.
---@param axis integer
---@param first integer
---@param last integer
---@return Tensor
function Tensor:slice(axis, first, last) end

---All elements, sorted.
---@param descending? boolean
---@return Tensor
function Tensor:sort(descending) end

---sqrt of each element.
---@return Tensor
function Tensor:sqrt() end

---square of each element.
---@return Tensor
function Tensor:square() end

---sub of each pair of elements.
---@param other Tensor|number
---@return Tensor
function Tensor:sub(other) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:sum(axes, keep) end

---All elements, in order.
---@return number[]
function Tensor:table() end

---The elements at positions, in the shape of these.
---@param positions Tensor
---@return Tensor
function Tensor:take(positions) end

---tanh of each element.
---@return Tensor
function Tensor:tanh() end

---Converted to another element type.
---@param dtype string
---@return Tensor
function Tensor:to(dtype) end

---Axes in another order; reversed without one.
---@param ... integer|integer[]
---@return Tensor
function Tensor:transpose(...) end

---Over all elements, or along axes.
---@param axes? integer|integer[]
---@param keep? boolean
---@return number|Tensor
function Tensor:variance(axes, keep) end

---a where an element is not 0, else b.
---@param a Tensor|number
---@param b Tensor|number
---@return Tensor
function Tensor:where(a, b) end

tensor = {}

---All zero.
---@param shape integer[]
---@return Tensor
function tensor.zeros(shape) end

---All one.
---@param shape integer[]
---@return Tensor
function tensor.ones(shape) end

---All one value.
---@param shape integer[]
---@param value number
---@return Tensor
function tensor.full(shape, value) end

---A list of numbers, or of such lists, all as long, as a tensor.
---@param values number[]|table
---@return Tensor
function tensor.of(values) end

---Random, from 0 to 1.
---@param shape integer[]
---@param seed integer
---@return Tensor
function tensor.uniform(shape, seed) end

---Random, of mean 0 and variance 1.
---@param shape integer[]
---@param seed integer
---@return Tensor
function tensor.normal(shape, seed) end

---@class Plugin
---@field kind string
---@field name string
---@operator call(table?): BoundPlugin
local Plugin = {}

---@class BoundPlugin
---@field kind string
---@field name string
---@field options table # checked, standards included
---@operator call(number): number
local BoundPlugin = {}

---A schedule's value at progress t, from 0 to 1.
---@param t number
---@return number
function BoundPlugin:at(t) end

---@class Data
---@field classes integer
---@field count integer # samples
---@field name string
---@operator len: integer
local Data = {}

---The same samples, changed at random in each epoch of a training.
---@param options AugmentOptions
---@return Data
function Data:augment(options) end

---Samples as a tensor, and their classes, which count from 1 as argmax does.
---@param first integer
---@param last integer
---@return Tensor, integer[]
function Data:batch(first, last) end

---All but the first samples.
---@param count integer
---@return Data
function Data:drop(count) end

---Samples chosen at random.
---@param count integer
---@param seed? integer
---@return Data
function Data:sample(count, seed) end

---Of one sample.
---@return integer[]
function Data:shape() end

---Two parts, shuffled.
---@param share number
---@param seed? integer
---@return Data, Data
function Data:split(share, seed) end

---The first samples.
---@param count integer
---@return Data
function Data:take(count) end

---The same samples without their labels: what is judged on them is judged by outputs.
---@return Data
function Data:unlabelled() end

---The same samples as other images.
---@param options ImageOptions
---@return Data
function Data:with(options) end

---@class Dataset
---@field test Data # samples to test with
---@field train Data # samples to learn from
---@operator call(DatasetOptions?): Dataset
local Dataset = {}

data = {}

---JPEG and PNG images, in a folder for each class or without labels.
---@param folder string
---@param options? ImageFolderOptions
---@return Data
function data.images(folder, options) end

---Samples and labels from an .npz, or .npy files.
---@param file string
---@param options? NumpyOptions
---@return Data
function data.numpy(file, options) end

---Images and labels from a pair of IDX files.
---@param images string
---@param labels string
---@param options? IdxOptions
---@return Data
function data.idx(images, labels, options) end

---Samples of noise that a model takes, without labels: for calibration where there are no pictures.
---@param model Model
---@param options? NoiseOptions
---@return Data
function data.noise(model, options) end

---@class Layer
---@field activations Tensor # its output for the first 64 samples, [n, height, width, channels]; for plugins with needs = { "activations" }
---@field bias Tensor?
---@field count integer # how many such layers there are
---@field filters integer # output channels
---@field gamma Tensor? # scale of the batch norm that follows, one for each filter
---@field gathered Tensor # what the plugin's gather returned last, of the weight's shape
---@field gradient Tensor # of the mean loss, by the weight; for plugins with needs = { "gradient" }
---@field gradient_square Tensor # mean of the squared gradients of batches; likewise
---@field index integer # position among the layers with weights, from 1
---@field kind string # conv2d, dense
---@field macs integer # multiply-accumulates for one sample
---@field name string
---@field parameters integer
---@field stored string # what the weight is stored as: float32, int8, 16 values …
---@field weight Tensor # output channels first
local Layer = {}

---Of one sample.
---@return integer[]
function Layer:input_shape() end

---Of one sample.
---@return integer[]
function Layer:output_shape() end

---@class Model
---@field name string
local Model = {}

---Names of the classes, if they are known.
---@return string[]?
function Model:classes() end

---Its size and work, weights also apart from biases; computes the model.
---@return { parameters: integer, nonzero: integer, weights: integer, nonzero_weights: integer, macs: integer, bytes: integer }
function Model:cost() end

---The layers with weights; computes the model.
---@return Layer[]
function Model:layers() end

---How a picture becomes what the network takes, if that is known.
---@return { size: integer[], channels: string, layout: string, scale: number, mean: number[], std: number[], crop: { short_side: integer, size: integer }? }?
function Model:preprocessing() end

---Writes a file under --out, in the format of its ending: .cmpr (native), .cmpz (packed), .onnx, .tflite, .safetensors (weights alone), .c (C99, with a header beside it), .cmpx (compiled, for libcompress); computes the model.
---@param file string
---@return Model
function Model:save(file) end

---A table of the layers; computes the model.
---@return string
function Model:summary() end

---@class Session
local Session = {}

---Milliseconds for one image, in this process.
---@param options MeasureOptions
---@return { mean: number, min: number, p50: number, p90: number, p99: number, max: number }
function Session:measure(options) end

---The network's outputs.
---@param samples Tensor
---@return Tensor
function Session:run(samples) end

zoo = {}

---conv 12@3x3, max-pool, dense: 20,410 parameters on MNIST.
---@param options? NetworkOptions
---@return Model
function zoo.lab_cnn(options) end

---two convolutions with batch norm, one dense layer: 9,170 parameters on 28x28.
---@param options? NetworkOptions
---@return Model
function zoo.quick_cnn(options) end

---dense 300, 100, classes with ReLU: 266,610 parameters on MNIST.
---@param options? NetworkOptions
---@return Model
function zoo.lenet_300_100(options) end

---conv 20@5x5, 50@5x5, dense 500 (Caffe's LeNet-5): 431,080 parameters on MNIST.
---@param options? NetworkOptions
---@return Model
function zoo.lenet5(options) end

---MLPerf Tiny's residual network for CIFAR-10: 78,666 parameters.
---@param options? WidthNetworkOptions
---@return Model
function zoo.resnet8(options) end

---residual network for CIFAR-10 (He et al. 2015): 271,098 parameters.
---@param options? WidthNetworkOptions
---@return Model
function zoo.resnet20(options) end

---residual network for CIFAR-10 (He et al. 2015): 466,426 parameters.
---@param options? WidthNetworkOptions
---@return Model
function zoo.resnet32(options) end

---residual network for CIFAR-10 (He et al. 2015): 857,082 parameters.
---@param options? WidthNetworkOptions
---@return Model
function zoo.resnet56(options) end

---residual network of 18 layers (He et al. 2015): 11,699,112 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.resnet18(options) end

---resnet18 for CIFAR-10: 32x32 images, 3x3 stem, 10 classes.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.resnet18_cifar(options) end

---residual network of 50 layers (He et al. 2015): 25,610,152 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.resnet50(options) end

---13 convolutions, 3 dense layers (Simonyan and Zisserman 2014): 138,357,544 parameters.
---@param options? ClassifierWidthDropoutNetworkOptions
---@return Model
function zoo.vgg16(options) end

---vgg16 with batch norms: 138,374,440 parameters.
---@param options? ClassifierWidthDropoutNetworkOptions
---@return Model
function zoo.vgg16_bn(options) end

---vgg16_bn for CIFAR-10: 32x32 images, one dense layer, 10 classes.
---@param options? ClassifierWidthDropoutNetworkOptions
---@return Model
function zoo.vgg16_bn_cifar(options) end

---MLPerf Tiny's depthwise separable convolutions (Howard et al. 2017): 221,794 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.mobilenet_v1(options) end

---inverted residuals (Sandler et al. 2018): 3,538,984 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.mobilenet_v2(options) end

---inverted residuals with gates and hard swish (Howard et al. 2019): 2,554,968 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.mobilenet_v3_small(options) end

---inverted residuals with gates and hard swish (Howard et al. 2019): 5,507,432 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.mobilenet_v3_large(options) end

---inverted residuals with gates, balanced by search (Tan and Le 2019): 5,330,564 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.efficientnet_b0(options) end

---efficientnet_b0 without gates, with ReLU6, for integers: 4,694,024 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.efficientnet_lite0(options) end

---fire modules: squeezed, then expanded in two sizes (Iandola et al. 2016): 1,235,496 parameters.
---@param options? StemWidthDropoutNetworkOptions
---@return Model
function zoo.squeezenet1_1(options) end

---split and shuffled channels (Ma et al. 2018): 2,294,784 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.shufflenet_v2(options) end

---densely connected network of 121 layers (Huang et al. 2017): 8,062,504 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.densenet121(options) end

---grouped residual blocks with gates (Radosavovic et al. 2020): 4,371,296 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.regnet_y_400mf(options) end

---depthwise 7x7 and dense layers with layer norms (Liu et al. 2022): 28,589,128 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.convnext_tiny(options) end

---vision transformer of 192 channels and 3 heads (Touvron et al. 2021): 5,717,416 parameters.
---@param options? StemWidthNetworkOptions
---@return Model
function zoo.deit_tiny(options) end

---factorized convolutions in branches (Szegedy et al. 2015): 23,869,000 parameters.
---@param options? WidthDropoutNetworkOptions
---@return Model
function zoo.inception_v3(options) end

---inception_v3 for MNIST: 75x75x1 images, 10 classes.
---@param options? WidthDropoutNetworkOptions
---@return Model
function zoo.inception_v3_75(options) end

---MLPerf Tiny's depthwise separable network for keywords (Zhang et al. 2017): 24,908 parameters.
---@param options? WidthDropoutNetworkOptions
---@return Model
function zoo.ds_cnn(options) end

---MLPerf Tiny's autoencoder for machines' noises, 640 values: 269,992 parameters.
---@param options? ClasslessWidthNetworkOptions
---@return Model
function zoo.autoencoder(options) end

---U-Net: an image halved four times and back (Ronneberger et al. 2015): 17,271,874 parameters.
---@param options? WidthDepthUpsamplingNetworkOptions
---@return Model
function zoo.unet(options) end

---anchor-free, on MobileNetV2's features (after FCOS; Tian et al. 2019): 1,462,652 parameters.
---@param options? WidthNetworkOptions
---@return Model
function zoo.detector(options) end

---@class Block
---@operator call(...: Value): Value
local Block = {}

---@class Value
---@operator add(Value|number): Value
---@operator mul(Value|number): Value
---@operator sub(Value|number): Value
---@operator div(Value|number): Value
---@operator pow(Value|number): Value
---@operator unm: Value
local Value = {}

net = {}

---A convolution; padding is "same" unless told otherwise.
---@param filters integer
---@param kernel integer|integer[]
---@param options? ConvOptions
---@return Block
function net.conv(filters, kernel, options) end

---A transposed convolution; the padding is PyTorch's: it takes away from the borders.
---@param filters integer
---@param kernel integer|integer[]
---@param options? TransposedOptions
---@return Block
function net.conv_transposed(filters, kernel, options) end

---A convolution of each channel by itself; padding is "same" unless told otherwise.
---@param kernel integer|integer[]
---@param options? DepthwiseOptions
---@return Block
function net.depthwise(kernel, options) end

---A fully connected layer over the last axis: of an image every pixel by itself, so flatten it first.
---@param units integer
---@param options? DenseOptions
---@return Block
function net.dense(units, options) end

---Batch normalization over the channels.
---@param options? BatchNormOptions
---@return Block
function net.batch_norm(options) end

---The greatest value under a window.
---@param size integer|integer[]
---@param options? PoolOptions
---@return Block
function net.max_pool(size, options) end

---The mean under a window.
---@param size integer|integer[]
---@param options? AveragePoolOptions
---@return Block
function net.average_pool(size, options) end

---The mean of each channel: an image becomes a vector.
---@param options? LayerOptions
---@return Block
function net.global_average_pool(options) end

---The greatest value of each channel.
---@param options? LayerOptions
---@return Block
function net.global_max_pool(options) end

---An image as a vector.
---@param options? LayerOptions
---@return Block
function net.flatten(options) end

---Zeros in place of a share of the values while training.
---@param rate number
---@param options? LayerOptions
---@return Block
function net.dropout(rate, options) end

---Zeros before and after each axis: height, width, channels.
---@param before integer[]
---@param after integer[]
---@param options? LayerOptions
---@return Block
function net.pad(before, after, options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.relu(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.relu6(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.sigmoid(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.softmax(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.log_softmax(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.tanh(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.erf(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.exp(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.log(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.sqrt(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.reciprocal(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.neg(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.abs(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.hard_swish(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.silu(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.gelu(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.gelu_tanh(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.softplus(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.mish(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.sin(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.cos(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.floor(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.ceil(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.round(options) end

---A function of each element.
---@param options? LayerOptions
---@return Block
function net.sign(options) end

---x above zero, slope * x below.
---@param slope number
---@param options? LayerOptions
---@return Block
function net.leaky_relu(slope, options) end

---x above zero, alpha * (exp(x) - 1) below.
---@param alpha number
---@param options? LayerOptions
---@return Block
function net.elu(alpha, options) end

---slope * x + offset, clamped to 0 and 1: 1/6 and 1/2 in MobileNetV3.
---@param slope number
---@param offset number
---@param options? LayerOptions
---@return Block
function net.hard_sigmoid(slope, offset, options) end

---x within bounds.
---@param low number
---@param high number
---@param options? LayerOptions
---@return Block
function net.clip(low, high, options) end

---x above zero, below it times a slope of the channel's, which is trained.
---@param options? LayerOptions
---@return Block
function net.prelu(options) end

---The product of two values, matrices in their last two axes.
---@param options? MatMulOptions
---@return Block
function net.matmul(options) end

---Scaled dot-product attention of three values: queries, keys and values, {tokens, channels} each.
---@param heads integer
---@param options? LayerOptions
---@return Block
function net.attention(heads, options) end

---Mean, sum, maximum or minimum along axes, which count from 1.
---@param function "mean"|"sum"|"max"|"min"
---@param axes integer[]
---@param options? ReduceOptions
---@return Block
function net.reduce(function, axes, options) end

---The place, from 0, of the greatest element along an axis.
---@param axis integer
---@param options? ReduceOptions
---@return Block
function net.arg_max(axis, options) end

---sub of two values, broadcast.
---@param options? LayerOptions
---@return Block
function net.sub(options) end

---div of two values, broadcast.
---@param options? LayerOptions
---@return Block
function net.div(options) end

---minimum of two values, broadcast.
---@param options? LayerOptions
---@return Block
function net.minimum(options) end

---maximum of two values, broadcast.
---@param options? LayerOptions
---@return Block
function net.maximum(options) end

---pow of two values, broadcast.
---@param options? LayerOptions
---@return Block
function net.pow(options) end

---Each row of the last axis by its own mean and deviation.
---@param options? NormOptions
---@return Block
function net.layer_norm(options) end

---Each row of the last axis by the root of its mean square.
---@param options? NormOptions
---@return Block
function net.rms_norm(options) end

---Groups of channels by their mean and deviation over the image.
---@param groups integer
---@param options? NormOptions
---@return Block
function net.group_norm(groups, options) end

---Each channel by its mean and deviation over the image.
---@param options? NormOptions
---@return Block
function net.instance_norm(options) end

---Each row of the last axis by its length.
---@param options? LayerOptions
---@return Block
function net.l2_norm(options) end

---The same elements under another shape.
---@param shape integer[]
---@param options? LayerOptions
---@return Block
function net.reshape(shape, options) end

---The axes in another order.
---@param axes integer[]
---@param options? LayerOptions
---@return Block
function net.transpose(axes, options) end

---Some neighbours along an axis: channels, where it is the last.
---@param axis integer
---@param first integer
---@param last integer
---@param options? LayerOptions
---@return Block
function net.slice(axis, first, last, options) end

---Some of an axis, in any order.
---@param axis integer
---@param indices integer[]
---@param options? LayerOptions
---@return Block
function net.gather(axis, indices, options) end

---The first channel of each group, then the second of each, and so on.
---@param groups integer
---@param options? LayerOptions
---@return Block
function net.channel_shuffle(groups, options) end

---The whole several times along each axis.
---@param repeats integer[]
---@param options? LayerOptions
---@return Block
function net.tile(repeats, options) end

---Broadcast to a larger shape.
---@param shape integer[]
---@param options? LayerOptions
---@return Block
function net.expand(shape, options) end

---Blocks of channels as blocks of pixels.
---@param block integer
---@param options? DepthOptions
---@return Block
function net.depth_to_space(block, options) end

---Blocks of pixels as blocks of channels.
---@param block integer
---@param options? LayerOptions
---@return Block
function net.space_to_depth(block, options) end

---An image in another size, by its nearest pixels or between them.
---@param height integer
---@param width integer
---@param options? ResizeOptions
---@return Block
function net.resize(height, width, options) end

---An image so many times as large.
---@param factor integer
---@param options? ResizeOptions
---@return Block
function net.upsample(factor, options) end

---Blocks one after the other.
---@param blocks Blocks
---@return Block
function net.sequential(blocks) end

---Blocks one after the other, and their output plus the input, which the shortcut may change on its way.
---@param blocks ResidualBlocks
---@return Block
function net.residual(blocks) end

---Blocks side by side on the same input; their outputs are added.
---@param blocks Blocks
---@return Block
function net.add(blocks) end

---The input times what blocks make of it, one after the other: squeeze-and-excitation. What they give is broadcast.
---@param blocks Blocks
---@return Block
function net.gate(blocks) end

---Blocks side by side, or values, joined along their channels.
---@param blocks Blocks
---@return Block
function net.concat(blocks) end

---One of a network's inputs: height, width, channels of an image; or one number.
---@param shape integer[]
---@param options? LayerOptions
---@return Value
function net.input(shape, options) end

---A value that is the same for every sample; training moves it where it is told to.
---@param values Tensor
---@param options? ConstantOptions
---@return Value
function net.constant(values, options) end

---The block with the same parameters wherever it is used.
---@param block Block
---@return Block
function net.shared(block) end

---A network of blocks one after the other, untrained.
---@param definition NetworkDefinition
---@return Model
function net.model(definition) end

---@class TrainingMoment
---@field accuracy number # likewise, from 0 to 1
---@field epoch integer # the one under way or just ended, from 1
---@field epochs integer # of how many
---@field learning_rate number # of the last step
---@field loss number # of the step's batch, or the epoch's mean
---@field step integer # steps done
---@field steps integer # of how many
---@field validation_accuracy number? # likewise, from 0 to 1
---@field validation_loss number? # after an epoch, with validation data
local TrainingMoment = {}

---@class Sensitivity
---@field baseline number # accuracy, or cosine, with nothing gone
---@field by string # what was measured: "accuracy" or "agreement"
---@field parts { name: string, layers: string[], accuracy: number[]?, cosine: number[]?, importance: number }[] # layers or groups of them, with the accuracy or cosine for each share and what is lost in the mean
---@field shares number[] # what went of each part
local Sensitivity = {}

---A share for each group of channels, at the same loss or least for what it saves, that together meet a target.
---@param target RatioTarget
---@return number[]
function Sensitivity:ratios(target) end

---A ratio for each part, out of fewer: the first for the parts that matter most.
---@param ratios number[]
---@return number[]
function Sensitivity:spread(ratios) end

---A table of the parts.
---@return string
function Sensitivity:summary() end

---What a plugin's file returns.
---@param declared PruningPlugin|SchedulePlugin|QuantizationPlugin|DevicePlugin
---@return table
function plugin(declared) end

---A plugin; called with a table, it takes its options.
---@param name string
---@return Plugin
function use(name) end

---A data set by its name.
---@param name "cifar10"|"cifar100"|"digits"|"fashion_mnist"|"imagenette"|"mnist"
---@param options? DatasetOptions
---@return Dataset
function dataset(name, options) end

---Writes a file under --out as save does, with options of its format; computes the model.
---@param model Model
---@param file string
---@param options? ExportOptions
---@return Model
function export(model, file, options) end

---Makes a model ready to run; computes it.
---@param model Model
---@return Session
function compile(model) end

---A model from a file under the script's folder or --data.
---@param file string
---@param options? LoadOptions
---@return Model
function load_model(file, options) end

---The same model with names for its classes, or with what is done to pictures before.
---@param model Model
---@param options DescribeOptions
---@return Model
function describe(model, options) end

---Declares what --set changes, once and first: name = { default, min =, max =, choices =, help = }.
---@param declared table<string, any>
---@return table<string, any>
function params(declared) end

---Trains a model on labelled samples.
---@param model Model
---@param options TrainOptions
---@return Model
function train(model, options) end

---Measures the statistics of batch norms anew, without training.
---@param model Model
---@param options RecalibrateOptions
---@return Model
function recalibrate(model, options) end

---The same function with channels of more alike ranges, for quantization with one scale a tensor.
---@param model Model
---@param options? EqualizeOptions
---@return Model
function equalize(model, options) end

---The same function with channels that are alike side by side, so that weights pruned in blocks of inputs lose less.
---@param model Model
---@param options? PermuteOptions
---@return Model
function permute(model, options) end

---Fits the last dense layer to labelled samples; for networks drawn at random, whose predictions mean nothing.
---@param model Model
---@param data Data
---@return Model
function fit_last_layer(model, data) end

---Stores weights, and perhaps activations, in fewer bits; with training, weights learn to bear it.
---@param model Model
---@param recipe Plugin|BoundPlugin
---@param options? QuantizeOptions
---@return Model
function quantize(model, recipe, options) end

---Removes weights or filters by a strategy: at once, along a schedule while training, or in rounds.
---@param model Model
---@param strategy Plugin|BoundPlugin
---@param options PruneOptions
---@return Model
function prune(model, strategy, options) end

---Replaces dense layers and convolutions by two thinner ones each, where that makes them smaller.
---@param model Model
---@param options FactorizeOptions
---@return Model
function factorize(model, options) end

---The earlier model's values, as far as the weights have not been pruned.
---@param model Model
---@param earlier Model
---@return Model
function rewind(model, earlier) end

---A network of the same shape, zeros that masks hold included, with weights drawn anew.
---@param model Model
---@param options? ReinitializeOptions
---@return Model
function reinitialize(model, options) end

---Accuracy, or agreement, after pruning each layer, or group of channels, alone; computes the model.
---@param model Model
---@param options SensitivityOptions
---@return Sensitivity
function sensitivity(model, options) end

---What a changed model does otherwise, and which layers bring it about; computes both.
---@param original Model
---@param changed Model
---@param options DifferencesOptions
---@return { count: integer, accuracy: number[]?, cosine: number?, outputs: { name: string, cosine: number, sqnr: number?, max: number, same: number }[]?, flips: integer, flips_low: number, flips_high: number, gained: integer, lost: integer, layers: { name: string, cumulative: { sqnr: number?, max: number, cosine: number }, alone: { sqnr: number?, max: number, cosine: number }? }[], scaled: string[], worst: { index: integer, label: integer?, predictions: integer[], distance: number }[], text: string }
function differences(original, changed, options) end

---How far a changed model's outputs are the original's, where there are no labels; computes both.
---@param original Model
---@param changed Model
---@param options AgreementOptions
---@return { count: integer, cosine: number, outputs: { name: string, cosine: number, sqnr: number?, max: number, same: number }[] }
function agreement(original, changed, options) end

---The quantized model with the fewest layers back to the original's that keep its accuracy, or agree with it.
---@param original Model
---@param quantized Model
---@param options RescueOptions
---@return Model
function rescue(original, quantized, options) end

---Each layer as one of the candidates has it, listed from cheap to dear: dear where it matters.
---@param original Model
---@param candidates [string, Model][]
---@param options MixOptions
---@return Model
function mix(original, candidates, options) end

---Rounds weights to the levels that make the packed file smallest for what the outputs err, by a trade, a limit of accuracy or one of bytes.
---@param model Model
---@param options PackOptions
---@return Model
function pack(model, options) end

---Measures variants side by side when the script has ended; once a script.
---@param variants CompareOptions|[string, Model][]
function compare(variants) end

---How many samples the model gets right, or how far its outputs are an original's; computes the model.
---@param model Model
---@param on? Data|EvaluateOptions
---@return { accuracy: number?, correct: integer?, count: integer, cosine: number?, outputs: { name: string, cosine: number, sqnr: number?, max: number, same: number }[]? }
function evaluate(model, on) end

