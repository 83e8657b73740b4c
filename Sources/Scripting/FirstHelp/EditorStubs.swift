import Diagnostics
import Kernels
import LuaHost
import Pipeline

/// What scripts can say, as `---@meta` annotations for editors with a Lua language server. Written from the
/// tables that define the vocabulary and check the options, so it cannot say anything else.
public enum EditorStubs {
  /// The text of `plugins/meta/compress.lua`.
  ///
  /// - Throws: `CompressError` when no thread can be started.
  public static func text() throws -> String {
    let definitions = try definitions()
    var out = """
      ---@meta
      -- What pipelines and plugins can say, for editors. Written by `compress meta`; changes here are lost.

      """
    for schema in named { out += options(schema) }
    out += "\n---@class OptionDeclaration\n"
    for field in OptionSchema.Option.declarationFields {
      out += "---@field \(field.name)\(field.name == "type" ? "" : "?") \(field.type)\n"
    }
    out += "---@field [integer] string # the names of a choice\n"
    out +=
      "\n---@alias PruningUnit \"weight\"|\"filter\"|\"block\"|{ rows: integer, columns: integer }|{ keep: integer, of: integer }\n"
    for kind in Plugin.Kind.allCases { out += declaration(kind) }

    var owners: [String] = []
    for case let owner? in definitions.map(\.owner) where !owners.contains(owner) { owners.append(owner) }
    for owner in owners {
      let members = definitions.filter { $0.owner == owner }
      out += members.allSatisfy { $0.kind == .function } ? library(owner, members) : classText(owner, members)
    }
    out += "\n"
    for definition in definitions where definition.owner == nil { out += function(definition, called: definition.name) }
    return out
  }

  /// Definitions that lack a type: none, as a test sees to.
  static func untyped() throws -> [String] {
    try definitions().filter(\.type.isEmpty).filter { !silent.contains($0.kind) }
      .map { ($0.owner.map { "\($0)." } ?? "") + $0.name }
  }

  /// Everything a session defines for its script.
  private static func definitions() throws -> [LuaDefinition] {
    let executor = Executor(context: StageContext(pool: try ThreadPool(threads: 1)), store: nil)
    return try ScriptSession(ScriptSession.Options(script: "stubs.lua"), executor: executor, print: { _ in }).state
      .definitions
  }

  /// Operators that editors know of every value.
  private static let silent: [LuaDefinition.Kind] = [.operation(.equal), .operation(.describe)]

  private static var named: [OptionSchema] {
    [
      DistillKeys.schema, TrainKeys.schema, TrainingChangeKeys.schema,
      RecalibrateKeys.schema, EqualizeKeys.schema, PermuteKeys.schema, QuantizeKeys.schema, PruneKeys.schema,
      FactorizeKeys.schema, ReinitializeKeys.schema, SensitivityKeys.schema,
      RatioTargetKeys.schema, DifferencesKeys.schema, AgreementKeys.schema, MixKeys.rescueSchema,
      MixKeys.mixSchema, PackKeys.schema, CompareKeys.schema, EvaluateKeys.schema,
      MeasureKeys.schema, ImageKeys.schema, DatasetKeys.schema, AugmentKeys.schema,
      ImageFolderKeys.schema, NumPyKeys.schema, LabelKeys.idxSchema,
      LoadKeys.schema, DescribeKeys.schema, LayerQuantizationKeys.schema, DeviceKeys.schema,
    ] + ScriptSession.zooSchemas + ScriptSession.netSchemas
  }

  /// The schema as a class, after those of the tables in it that have a name of their own there.
  private static func options(_ schema: OptionSchema) -> String {
    var inner = "", out = "\n---@class \(schema.name)\n"
    for option in schema.options {
      if case .table(let nested) = option.type, !named.contains(where: { $0.name == nested.name }) {
        inner += options(nested)
      }
      let standard = (try? option.standard?.recipe().description).map { "default \($0)" }
      let note = [option.help, standard ?? ""].filter { !$0.isEmpty }.joined(separator: "; ")
      out +=
        "---@field \(option.name)\(option.isRequired ? "" : "?") \(option.type.annotation)\(note.isEmpty ? "" : " # \(note)")\n"
    }
    if schema.name == "CompareOptions" {
      out += "---@field [integer] [string, Model] # a variant: its name, its model\n"
    } else if ScriptSession.listSchemas.contains(schema.name) {
      out += "---@field [integer] Block|false # false is left out\n"
    }
    return inner + out
  }

  private static func declaration(_ kind: Plugin.Kind) -> String {
    var out = "\n---@class \(kind.declarationName)\n---@field kind \"\(kind.rawValue)\"\n---@field summary string\n"
    out += "---@field options? table<string, OptionDeclaration>\n"
    for field in kind.fields { out += "---@field \(field.name) \(field.type)\n" }
    return out
  }

  private static func classText(_ name: String, _ members: [LuaDefinition]) -> String {
    var out = "\n---@class \(name)\n"
    for member in members.sorted(by: { $0.name < $1.name }) where member.kind == .property {
      out += "---@field \(member.name) \(member.type)\(member.help.isEmpty ? "" : " # \(member.help)")\n"
    }
    for member in members {
      guard case .operation(let operation) = member.kind, !silent.contains(member.kind) else { continue }
      // `call` is written with its parameters' names, the others as operand and result.
      let type = operation == .call ? member.type.replacing(/\(options\?: (\w+)\)/) { "(\($0.1)?)" } : member.type
      out += "---@operator \(operation.rawValue)\(type.hasPrefix("(") ? type : ": \(type)")\n"
    }
    out += "local \(name) = {}\n"
    for member in members.sorted(by: { $0.name < $1.name }) where member.kind == .method {
      out += "\n" + function(member, called: "\(name):\(member.name)")
    }
    return out
  }

  private static func library(_ name: String, _ members: [LuaDefinition]) -> String {
    var out = "\n\(name) = {}\n"
    for member in members { out += "\n" + function(member, called: "\(name).\(member.name)") }
    return out
  }

  /// `(axis: integer, keep?: boolean): Tensor` as annotations and an empty function.
  private static func function(_ definition: LuaDefinition, called name: String) -> String {
    let signature = Signature(definition.type)
    var out = definition.help.isEmpty ? "" : "---\(definition.help)\n"
    for parameter in signature.parameters { out += "---@param \(parameter.name) \(parameter.type)\n" }
    if !signature.result.isEmpty { out += "---@return \(signature.result)\n" }
    let names = signature.parameters.map { $0.name.replacing("?", with: "") }
    return out + "function \(name)(\(names.joined(separator: ", "))) end\n" + (definition.owner == nil ? "\n" : "")
  }

  /// A signature taken apart at the commas and colons that lie in no brackets.
  private struct Signature {
    var parameters: [(name: String, type: String)] = []
    var result = ""

    init(_ text: String) {
      var depth = 0, piece = "", pieces: [String] = [], rest = Substring(text)
      while let character = rest.popFirst() {
        if "([{<".contains(character) { depth += 1 }
        if ")]}>".contains(character) { depth -= 1 }
        if depth == 1, character == "(", piece.isEmpty, pieces.isEmpty { continue }
        if depth == 0 || (depth == 1 && character == ",") {
          pieces.append(piece)
          piece = ""
          if depth == 0 { break }
        } else {
          piece.append(character)
        }
      }
      parameters = pieces.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }.map { parameter in
        let colon = parameter.firstIndex(of: ":") ?? parameter.endIndex
        return (String(parameter[..<colon]), parameter[colon...].drop { $0 == ":" || $0 == " " }.description)
      }
      result = rest.drop { $0 == ":" || $0 == " " }.description
    }
  }
}

extension OptionType {
  /// The type in the notation of Lua's annotations.
  fileprivate var annotation: String {
    switch self {
    case .boolean: "boolean"
    case .integer: "integer"
    case .number, .ratio: "number"
    case .string: "string"
    case .choice(let names): names.map { "\"\($0)\"" }.joined(separator: "|")
    case .patterns: "string|string[]"
    case .strings: "string[]"
    case .renames: "table<string, string>"
    case .numbers: "number[]"
    case .numberLists: "number[][]"
    case .shapes: "table<string, integer[]>"
    case .data: "Data"
    case .model: "Model"
    case .block: "Block|false"
    case .values: "Value[]"
    case .plugin: "Plugin|BoundPlugin"
    case .schedule: "Plugin|BoundPlugin|fun(t: number): number"
    case .function(let type): type
    case .table(let schema): schema.name
    case .either(let a, let b): "\(a.annotation)|\(b.annotation)"
    }
  }
}
