import GRDB

/// The tables of the run store. A migration that was ever released never changes; what is new comes in one of its own.
enum RunStoreSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1 runs") { try $0.execute(sql: runs) }
    migrator.registerMigration("2 labels") { try $0.execute(sql: labels) }
    migrator.registerMigration("3 agreement") { try $0.execute(sql: agreement) }
    return migrator
  }

  /// Texts that many runs share (environments, stages) are stored once. A param's value keeps its type: a number is
  /// REAL, true and false are INTEGER, text is TEXT. A seed is stored by its 64 bits.
  private static let runs = """
    CREATE TABLE environments (
      id INTEGER PRIMARY KEY,
      cpu TEXT NOT NULL, cores INTEGER NOT NULL, isa TEXT NOT NULL,
      system TEXT NOT NULL, program TEXT NOT NULL, lua TEXT NOT NULL,
      UNIQUE (cpu, cores, isa, system, program, lua)
    );
    CREATE TABLE sweeps (
      id INTEGER PRIMARY KEY,
      uid TEXT NOT NULL UNIQUE, folder TEXT NOT NULL, definition TEXT NOT NULL, started REAL NOT NULL
    );
    CREATE TABLE runs (
      id INTEGER PRIMARY KEY,
      uid TEXT NOT NULL UNIQUE,
      sweep INTEGER REFERENCES sweeps (id) ON DELETE CASCADE, point INTEGER,
      script TEXT NOT NULL, script_sha256 TEXT, seed INTEGER NOT NULL, threads INTEGER NOT NULL,
      status TEXT NOT NULL, error TEXT, started REAL NOT NULL, seconds REAL NOT NULL,
      folder TEXT, command TEXT NOT NULL,
      environment INTEGER NOT NULL REFERENCES environments (id)
    );
    CREATE INDEX runs_sweep ON runs (sweep, point);
    CREATE INDEX runs_environment ON runs (environment);
    CREATE INDEX runs_folder ON runs (folder);
    CREATE TABLE params (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, value NOT NULL,
      PRIMARY KEY (run, name)
    ) WITHOUT ROWID;
    CREATE INDEX params_value ON params (name, value);
    CREATE TABLE variants (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, position INTEGER NOT NULL,
      is_last INTEGER NOT NULL, name TEXT NOT NULL,
      accuracy REAL, flips REAL, parameters REAL, nonzero REAL, macs REAL, native_bytes REAL, gzip_bytes REAL,
      mean_ms REAL, p50_ms REAL, p90_ms REAL, p99_ms REAL, peak_memory_bytes REAL,
      PRIMARY KEY (run, position)
    ) WITHOUT ROWID;
    CREATE TABLE stages (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, label TEXT NOT NULL, seconds REAL NOT NULL
    );
    CREATE TABLE run_stages (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, position INTEGER NOT NULL,
      stage INTEGER NOT NULL REFERENCES stages (id), computed INTEGER NOT NULL,
      PRIMARY KEY (run, position)
    ) WITHOUT ROWID;
    CREATE INDEX run_stages_stage ON run_stages (stage);
    CREATE TABLE plugins (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, name TEXT NOT NULL, sha256 TEXT NOT NULL,
      PRIMARY KEY (run, name)
    ) WITHOUT ROWID;
    CREATE TABLE artifacts (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, path TEXT NOT NULL,
      bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
      PRIMARY KEY (run, path)
    ) WITHOUT ROWID;
    """

  /// What whoever ran it says of it.
  private static let labels = """
    ALTER TABLE runs ADD COLUMN name TEXT;
    ALTER TABLE runs ADD COLUMN note TEXT;
    CREATE TABLE tags (
      run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE, tag TEXT NOT NULL,
      PRIMARY KEY (run, tag)
    ) WITHOUT ROWID;
    CREATE INDEX tags_tag ON tags (tag);
    """

  /// What takes the place of accuracy where there are no labels. Records of before have it as their accuracy: nothing
  /// in them tells one from the other.
  private static let agreement = "ALTER TABLE variants ADD COLUMN agreement REAL;"
}
