import Diagnostics
import Files
import Foundation

/// A first file to start from: what `compress new` writes. Each runs as it is.
public enum Scaffold: Sendable {
  case pipeline
  case plugin(kind: String)

  /// The kinds of plugins there are.
  public static var pluginKinds: [String] { Plugin.Kind.allCases.map(\.rawValue) }

  /// Writes `NAME.lua` into the folder and returns its path.
  ///
  /// - Throws: `CompressError` when the name is not made of letters, digits and `_`, the kind is unknown, or the
  ///   file exists already.
  public func write(name: String, into folder: String) throws -> String {
    guard PluginFolders.isName(name) else {
      throw CompressError(
        "a name is made of letters, digits and _, not \"\(name.prefix(64).description.escapedForTerminal)\"")
    }
    let path = folder == "." ? "\(name).lua" : "\(folder)/\(name).lua"
    do {
      try Data(text(name).utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    } catch let error as CompressError {
      throw error
    } catch CocoaError.fileWriteFileExists {
      throw CompressError("exists already and is left as it is", hint: "choose another name").at(file: path)
    } catch {
      throw CompressError("cannot write: \(error.localizedDescription)", kind: .system).at(file: path)
    }
    return path
  }

  func text(_ name: String) throws -> String {
    switch self {
    case .pipeline: return Self.pipelineText(name)
    case .plugin(let kindName):
      guard let kind = Plugin.Kind(rawValue: kindName) else {
        throw CompressError(
          "there is no kind \"\(kindName.escapedForTerminal)\""
            + Suggestion.text(for: kindName, among: Self.pluginKinds))
      }
      switch kind {
      case .pruning: return Self.pruningText(name)
      case .schedule: return Self.scheduleText(name)
      case .quantization: return Self.quantizationText(name)
      case .device: return Self.deviceText(name)
      }
    }
  }

  private static func pipelineText(_ name: String) -> String {
    """
    -- \(name): say here what this pipeline is to show.
    -- Run:   compress run \(name).lua --out results
    -- Check: compress check \(name).lua

    -- What can be changed from outside: compress run \(name).lua --set sparsity=0.9
    local p = params {
      sparsity = { 0.8, min = 0, max = 1, help = "share of zero weights" },
      samples  = { 4000, min = 100, help = "training images" },
    }

    -- "digits" is drawn by the program; for real ones: dataset "mnist", with --data DIR.
    local data     = dataset "digits"
    local training = data.train:take(p.samples)

    -- Nothing is computed here: train, prune and quantize record what is to be done.
    local baseline = train(zoo.lab_cnn(), { data = training, epochs = 2, batch = 64, optimizer = "adam" })

    local pruned = prune(baseline, use "global_magnitude" {}, {
      schedule = use "polynomial" { from = 0.3, to = p.sparsity },
      train    = { data = training, epochs = 1, batch = 64, optimizer = "adam" },
    })

    local int8 = use "int8" { calibration = training:take(200) }

    -- Each variant is measured in a process of its own: accuracy, size, latency, memory.
    compare {
      on = data.test:take(1000), images = 200,
      { "baseline",        baseline },
      { "int8",            quantize(baseline, int8) },
      { "pruned",          pruned },
      { "pruned and int8", quantize(pruned, int8) },
    }

    """
  }

  private static func pruningText(_ name: String) -> String {
    """
    -- \(name): say here what makes a weight worth keeping, and where the idea comes from.
    -- Use it in a pipeline beside this file:
    --   prune(model, use "\(name)" { power = 2 }, { sparsity = 0.8 })
    return plugin {
      kind    = "pruning",
      summary = "Zero the weights of least magnitude, deeper layers spared a little.",

      -- Checked when the pipeline runs, and shown by: compress plugins \(name)
      options = {
        power = { type = "number", default = 1, min = 0, help = "how much deeper layers are spared; 0 is not at all" },
        skip  = { type = "patterns", default = {}, help = "layers left whole" },
      },

      scope = "global", -- rank all layers together; "layer" ranks each alone
      unit  = "weight",

      -- One layer at a time: a tensor of the weight's shape. The least scores go first.
      -- layer: name, kind, index, count, weight, bias, macs, input_shape(), output_shape()
      score = function(layer, ctx)
        local depth = layer.index / layer.count
        return layer.weight:abs() * (1 + depth) ^ ctx.options.power
      end,
    }

    """
  }

  private static func scheduleText(_ name: String) -> String {
    """
    -- \(name): say here how the value moves, and where the idea comes from.
    -- Use it in a pipeline beside this file, for a sparsity or a learning rate:
    --   prune(model, strategy, { schedule = use "\(name)" { to = 0.8 }, train = { … } })
    return plugin {
      kind    = "schedule",
      summary = "Goes from `from` to `to` in equal steps.",

      -- Checked when the pipeline runs, and shown by: compress plugins \(name)
      options = {
        from  = { type = "number", default = 0, help = "value at the beginning" },
        to    = { type = "ratio", help = "value at the end" },
        steps = { type = "integer", default = 4, min = 1, help = "how many" },
      },

      -- t goes from 0, the beginning, to 1, the end.
      at = function(t, o)
        return o.from + (o.to - o.from) * math.floor(t * o.steps) / o.steps
      end,
    }

    """
  }

  private static func deviceText(_ name: String) -> String {
    """
    -- \(name): say here which device it is.
    -- Use it in a pipeline beside this file:
    --   prune(model, use "filter_l1" {}, { device = use "\(name)" {} })
    return plugin {
      kind    = "device",
      summary = "64 KiB of memory, 256 KiB of flash.",

      -- Checked when the pipeline runs, and shown by: compress plugins \(name)
      options = {
        ram   = { type = "integer", default = 65536, min = 1, help = "bytes of memory for the network" },
        flash = { type = "integer", default = 262144, min = 1, help = "bytes for its weights and tables" },
      },

      -- Also operators = { "conv2d", … }, clock = 64e6 (Hz), and table = "\(name).json", which compress bench --table writes.
      describe = function(o)
        return { bits = { 8, 32 }, ram = o.ram, flash = o.flash, sources = { "where the numbers are from" } }
      end,
    }

    """
  }

  private static func quantizationText(_ name: String) -> String {
    """
    -- \(name): say here which layers get how many bits, and why.
    -- Use it in a pipeline beside this file:
    --   quantize(model, use "\(name)" { bits = 6 })
    return plugin {
      kind    = "quantization",
      summary = "Weights in a few bits; the first layer keeps eight.",

      -- Checked when the pipeline runs, and shown by: compress plugins \(name)
      options = {
        bits = { type = "integer", default = 6, min = 2, max = 8, help = "of every weight but the first layer's" },
        skip = { type = "patterns", default = {}, help = "layers left float32" },
      },

      -- One layer at a time; nil leaves it float32. With
      --   activations = { bits = 8, observer = "minmax" }
      -- the engine calibrates activations too; it then needs an option `calibration` of type "data".
      assign = function(layer, o)
        local bits = layer.index == 1 and 8 or o.bits
        return { weights = { bits = bits, per = "channel" } }
      end,
    }

    """
  }
}
