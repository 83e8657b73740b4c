-- Two criteria in one: a weight goes when it is small and the loss would not miss it.
-- Score: (1 - mix) * |w| / mean|w| + mix * T / mean T, with T = |w| * sqrt(mean g^2), g being the gradient: the means make
-- the two comparable, layer by layer.
local function even(scores) return scores / (scores:mean() + 1e-30) end

return plugin {
  kind    = "pruning",
  summary = "Zero weights by magnitude and by the first-order Taylor expansion of the loss, mixed.",
  options = {
    mix  = { type = "ratio", default = 0.5, help = "0 is magnitude alone, 1 Taylor alone" },
    skip = { type = "patterns", default = {}, help = "layers left whole" },
  },
  scope = "global",
  unit  = "weight",
  needs = { "gradient" },
  score = function(layer, ctx)
    local magnitude, mix = layer.weight:abs(), ctx.options.mix
    return even(magnitude) * (1 - mix) + even(magnitude * layer.gradient_square:sqrt()) * mix
  end,
}
