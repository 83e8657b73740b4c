-- Balanced magnitude pruning (Yao et al. 2019, "Balanced Sparsity for Efficient DNN Inference on GPU"): every run of a
-- filter's inputs loses the same share of its weights, so that sparse kernels have as much to do for one filter as for
-- another. A run of 192 is what ours take at once.
-- Score: |w|.
return plugin {
  kind    = "pruning",
  summary = "Zero the same share of every run of a filter's inputs, the smallest weights first.",
  options = {
    zeros = { type = "ratio", default = 0.9, help = "share of each run that goes; one weight stays at least" },
    run   = { type = "integer", default = 192, min = 2, help = "inputs in a run" },
    skip  = { type = "patterns", default = {}, help = "layers left whole" },
  },
  unit  = function(o)
    local keep = math.floor(o.run * (1 - o.zeros) + 0.5)
    return { keep = math.min(math.max(keep, 1), o.run - 1), of = o.run }
  end,
  score = function(layer) return layer.weight:abs() end,
}
