// The plugins of these folders, as the program carries them: so it runs wherever it is copied, alone.

/// Files by their path below the folder of plugins, as they were when the program was built.
public enum ShippedPlugins {
  public static var paths: [String] { bytes.keys.sorted() }

  /// nil when there is no such file.
  public static func text(_ path: String) -> String? { bytes[path].map { String(decoding: $0, as: UTF8.self) } }

  private static let bytes: [String: [UInt8]] = [
    "device/cortex_m4.lua": PackageResources.cortex_m4_lua,
    "device/cortex_m7.lua": PackageResources.cortex_m7_lua,
    "device/zen3.json": PackageResources.zen3_json,
    "device/zen3.lua": PackageResources.zen3_lua,
    "pruning/balanced.lua": PackageResources.balanced_lua,
    "pruning/block.lua": PackageResources.block_lua,
    "pruning/depth.lua": PackageResources.depth_lua,
    "pruning/filter_batch_norm.lua": PackageResources.filter_batch_norm_lua,
    "pruning/filter_fpgm.lua": PackageResources.filter_fpgm_lua,
    "pruning/filter_hrank.lua": PackageResources.filter_hrank_lua,
    "pruning/filter_l1.lua": PackageResources.filter_l1_lua,
    "pruning/filter_l2.lua": PackageResources.filter_l2_lua,
    "pruning/filter_random.lua": PackageResources.filter_random_lua,
    "pruning/filter_taylor.lua": PackageResources.filter_taylor_lua,
    "pruning/global_magnitude.lua": PackageResources.global_magnitude_lua,
    "pruning/lamp.lua": PackageResources.lamp_lua,
    "pruning/local_magnitude.lua": PackageResources.local_magnitude_lua,
    "pruning/movement.lua": PackageResources.movement_lua,
    "pruning/n_m.lua": PackageResources.n_m_lua,
    "pruning/random.lua": PackageResources.random_lua,
    "pruning/snip.lua": PackageResources.snip_lua,
    "pruning/taylor.lua": PackageResources.taylor_lua,
    "quantization/bfloat16.lua": PackageResources.bfloat16_lua,
    "quantization/clusters.lua": PackageResources.clusters_lua,
    "quantization/dynamic_range.lua": PackageResources.dynamic_range_lua,
    "quantization/fixed_point.lua": PackageResources.fixed_point_lua,
    "quantization/float16.lua": PackageResources.float16_lua,
    "quantization/int4.lua": PackageResources.int4_lua,
    "quantization/int8.lua": PackageResources.int8_lua,
    "schedules/constant.lua": PackageResources.constant_lua,
    "schedules/cosine.lua": PackageResources.cosine_lua,
    "schedules/exponential.lua": PackageResources.exponential_lua,
    "schedules/linear.lua": PackageResources.linear_lua,
    "schedules/one_cycle.lua": PackageResources.one_cycle_lua,
    "schedules/polynomial.lua": PackageResources.polynomial_lua,
    "schedules/step.lua": PackageResources.step_lua,
    "schedules/warmup.lua": PackageResources.warmup_lua,
  ]
}
