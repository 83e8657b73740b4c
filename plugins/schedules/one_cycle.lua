-- One cycle (Smith and Topin 2019, "Super-convergence"): from a low learning rate up to `peak` and down to
-- next to nothing, along half a cosine each; few epochs suffice. The standards are those of PyTorch's OneCycleLR.
-- Value: half a cosine from peak / start to peak until t = rise, then one to peak / start / finish.
local function between(from, to, t) return to + (from - to) * (1 + math.cos(math.pi * t)) / 2 end

return plugin {
  kind    = "schedule",
  summary = "Rises from a fraction of `peak` to `peak`, then falls to almost nothing.",
  options = {
    peak   = { type = "number", min = 0, help = "the largest value" },
    rise   = { type = "ratio", default = 0.3, help = "share of the whole until the peak" },
    start  = { type = "number", default = 25, min = 1, help = "the peak over the first value" },
    finish = { type = "number", default = 1e4, min = 1, help = "the first value over the last" },
  },
  at = function(t, o)
    local first = o.peak / o.start
    if t < o.rise then return between(first, o.peak, t / o.rise) end
    return between(o.peak, first / o.finish, o.rise < 1 and (t - o.rise) / (1 - o.rise) or 1)
  end,
}
