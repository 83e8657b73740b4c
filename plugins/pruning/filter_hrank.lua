-- HRank (Lin et al. 2020, "HRank: Filter Pruning using High-Rank Feature Map"): feature maps of low rank carry less
-- information, and, the paper finds, their ranks hardly depend on the images.
-- Score of filter f: the mean rank of its feature maps, behind batch norm and activation, over the first samples. Dense
-- layers have no maps and stay whole.
-- Measured by Tests/figures/filters.lua (ResNet20 on the first 2,000 test images of CIFAR-10, 92.55 % dense, batch
-- norms recalibrated over 30 batches, no tuning), maps of the first 32 training images: 81.00 % with 0.8 of the MACs,
-- 61.45 with 0.6; over five random choices 76.85 to 81.05 and 54.15 to 62.00 %.
return plugin {
  kind    = "pruning",
  summary = "Remove the filters whose feature maps have the least rank.",
  options = {
    images = { type = "integer", default = 32, min = 1, max = 64, help = "samples whose maps are looked at" },
    skip   = { type = "patterns", default = {}, help = "layers left whole" },
    scope  = { type = "choice", "global", "layer", default = "global", help = "ranked together, or each group loses as much" },
  },
  scope = function(o) return o.scope end,
  unit  = "filter",
  needs = { "activations" },
  score = function(layer, ctx)
    local maps = layer.activations
    if maps.rank ~= 4 then return false end
    maps = maps:slice(1, 1, math.min(ctx.options.images, maps:shape()[1]))
    return maps:transpose(1, 4, 2, 3):matrix_rank():mean(1)
  end,
}
