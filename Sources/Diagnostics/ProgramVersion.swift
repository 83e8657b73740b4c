/// The version of the program, as it stands in files that it writes.
public let programVersion = "0.1.0"
