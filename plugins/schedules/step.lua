-- Constant stretches, each a factor of the one before: how ResNets were trained (He et al. 2016; a tenth
-- at half and at three quarters).
-- Value: from * factor^(number of shares in `at` that t has reached).
return plugin {
  kind    = "schedule",
  summary = "Starts at `from` and is multiplied by `factor` at each share in `at`.",
  options = {
    from   = { type = "number", help = "value at the beginning" },
    at     = { type = "numbers", default = { 0.5, 0.75 }, help = "shares of the whole, from 0 to 1" },
    factor = { type = "number", default = 0.1, help = "what it is multiplied by there" },
  },
  at = function(t, o)
    local value = o.from
    for _, share in ipairs(o.at) do
      if t >= share then value = value * o.factor end
    end
    return value
  end,
}
