//! The commands for shell scripts, run as a shell would run them.

mod rig;

use std::process::Stdio;

use rig::Rig;
use serde_json::{Value, json};

#[test]
fn a_script_counts_and_dumps() {
    let rig = Rig::new();
    let label = "path=a\"b\\c\nd";
    rig.run(&[
        "inc",
        "jobs_total",
        "--help-text",
        "Jobs.",
        "--label",
        label,
    ]);
    rig.run(&["inc", "jobs_total", "41", "-l", label]);
    rig.run(&["inc", "work_total", "0.25"]);
    rig.run(&["set", "heat_celsius", "-3.5", "--unit", "celsius"]);
    rig.run(&["observe", "wait_seconds", "0.3", "--buckets", "0.1,1"]);
    // The second observation does not have to repeat the bounds.
    rig.run(&["observe", "wait_seconds", "7"]);
    assert_eq!(
        rig.run(&["dump"]),
        r#"# TYPE heat_celsius gauge
heat_celsius -3.5
# HELP jobs_total Jobs.
# TYPE jobs_total counter
jobs_total{path="a\"b\\c\nd"} 42
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 0
wait_seconds_bucket{le="1.0"} 1
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_sum 7.3
wait_seconds_count 2
# TYPE work_total counter
work_total 0.25
"#
    );
    let openmetrics = rig.run(&["dump", "--format", "openmetrics"]);
    assert!(openmetrics.contains("# UNIT heat_celsius celsius\n"));
    assert!(openmetrics.ends_with("# EOF\n"));
    assert_eq!(rig.run(&["check"]), "");
}

#[test]
fn json_has_everything_exactly() {
    let rig = Rig::new();
    let large = (1_u64 << 60) + 1;
    rig.run(&["inc", "jobs_total", &large.to_string(), "-l", "größe=ü"]);
    rig.run(&["set", "heat", "NaN", "--help-text", "Heat."]);
    rig.run(&["observe", "wait", "2", "--buckets", "1"]);
    let dump = rig.run(&["dump", "--json"]);
    assert_eq!(dump, rig.run(&["dump", "--format", "json"]));
    let dump: Value = serde_json::from_str(&dump).unwrap();
    assert_eq!(dump["board"]["layout_version"], 1);
    assert_eq!(dump["board"]["uuid"].as_str().unwrap().len(), 32);
    assert_eq!(dump["damaged"], 0);
    let family = |name: &str| {
        let families = dump["families"].as_array().unwrap();
        families
            .iter()
            .find(|family| family["name"] == name)
            .unwrap()
    };
    let jobs = family("jobs_total");
    assert_eq!(jobs["type"], "counter");
    assert_eq!(jobs["series"][0]["labels"], json!({"größe": "ü"}));
    assert_eq!(jobs["series"][0]["value"].as_u64(), Some(large));
    assert!(jobs["series"][0]["created_unix_nanos"].as_u64() > Some(0));
    assert_eq!(family("heat")["series"][0]["value"], "NaN");
    assert_eq!(family("heat")["help"], "Heat.");
    let wait = &family("wait")["series"][0];
    assert_eq!(
        wait["buckets"],
        json!([{"le": "1.0", "count": 0}, {"le": "+Inf", "count": 1}])
    );
    assert_eq!((&wait["count"], &wait["sum"]), (&json!(1), &json!(2.0)));
}

#[test]
fn a_native_histogram_is_observed_and_dumped() {
    let rig = Rig::new();
    rig.run(&["observe", "wait", "3", "--native", "0,1,8"]);
    // Who observes it without a word joins it as it is.
    rig.run(&["observe", "wait", "100"]);
    rig.run(&["observe", "wait", "0"]);
    let dump: Value = serde_json::from_str(&rig.run(&["dump", "--json"])).unwrap();
    let [wait] = &dump["families"].as_array().unwrap()[..] else {
        panic!("one family is there: {dump}");
    };
    let bounds = ["0.5", "1.0", "2.0", "4.0", "8.0", "+Inf"];
    let counts = [1, 1, 1, 2, 2, 3];
    let buckets = bounds.iter().zip(counts);
    let buckets = buckets.map(|(le, count)| json!({"le": le, "count": count}));
    assert_eq!(wait["series"][0]["buckets"], buckets.collect::<Value>());
    assert_eq!(
        wait["series"][0]["native"],
        json!({
            "schema": 0, "zero_threshold": 0.5, "zero": 1, "below": 0, "above": 1,
            "positive": [{"index": 2, "count": 1}, {"index": 3, "count": 1}], "negative": [],
        })
    );
    let refused = rig.fail(&["observe", "x", "1", "--native", "8,0.001,10"], 1);
    assert!(refused.contains("a schema of at most 3"), "{refused}");
}

#[test]
fn failures_are_one_line_and_a_status() {
    let rig = Rig::new();
    let missing = rig.fail(&["dump"], 1);
    assert!(missing.starts_with("tallyboard: ") && missing.contains("tallyboard create"));
    rig.fail(&["check"], 1);
    for missing in [
        &["rm"][..],
        &["rm", "/dev/shm/no-such-directory/web.v1.board"],
    ] {
        let missing = rig.fail(missing, 1);
        assert!(missing.contains("nothing was removed"), "{missing}");
        assert!(!missing.contains("create") && !missing.contains("start"));
    }
    let nowhere = ["create", "/dev/shm/no-such-directory/web.v1.board"];
    let nowhere = rig.fail(&nowhere, 1);
    assert!(
        nowhere.contains("/dev/shm/no-such-directory does not exist"),
        "{nowhere}"
    );
    rig.run(&["inc", "jobs_total"]);
    let clash = rig.fail(&["set", "jobs_total", "1"], 1);
    assert!(clash.contains("jobs_total"), "{clash}");
    rig.fail(&["observe", "wait_seconds", "1", "-l", "le=1"], 1);
    rig.fail(&["dump", "--board", "off"], 2);
    let number = "expected a number such as 3,";
    for (usage, says, about) in [
        (&["inc"][..], "not provided: <NAME>", " inc"),
        (&["set", "g", "abc"], number, " set"),
        (&["observe", "h", "abc"], number, " observe"),
        (
            &["observe", "h", "1", "--buckets", "1,x"],
            number,
            " observe",
        ),
        (
            &["observe", "h", "1", "--native", "3,1"],
            "three numbers are needed",
            " observe",
        ),
        (
            &["observe", "h", "1", "--native", "3.5,1,2"],
            "a whole number from -4 to 8",
            " observe",
        ),
        (
            &["observe", "h", "1", "--native", "3,1,2", "--buckets", "1"],
            "--buckets",
            " observe",
        ),
        (&["inc", "jobs_total", "-1"], "not negative", " inc"),
        (&["inc", "jobs_total", "NaN"], "a finite number", " inc"),
        (
            &["inc", "jobs_total", "-l", "x"],
            "expected NAME=VALUE",
            " inc",
        ),
        (&["create", "--slots", "many"], "a whole number", " create"),
        (&["bench", "--max-ratio", "x"], "not negative", " bench"),
        (&["dump", "--json", "--format", "text"], "--json", " dump"),
        (&["dump", "--format", "xml"], "openmetrics", " dump"),
        (&["dump", "--bord", "x"], "'--board'", " dump"),
        (&["no-such-command"], "no-such-command", ""),
    ] {
        let error = rig.fail(usage, 2);
        assert!(
            error.starts_with("tallyboard: ") && error.contains(says),
            "{error}"
        );
        let hint = format!("; see `tallyboard{about} --help`\n");
        assert!(
            error.ends_with(&hint) && !error.contains("error:"),
            "{error}"
        );
    }
    assert_eq!(
        rig.run(&["dump"]),
        "# TYPE jobs_total counter\njobs_total 1\n"
    );
}

#[test]
fn boards_are_made_and_removed() {
    use std::os::unix::fs::MetadataExt;
    let rig = Rig::new();
    let path = rig.board("web");
    rig.run(&["create", "web", "--slots", "128", "--mode", "0640"]);
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o640);
    let again = rig.fail(&["create", "--board", "web"], 1);
    assert!(again.contains(path.to_str().unwrap()), "{again}");
    rig.run(&["inc", "jobs_total", "--board", path.to_str().unwrap()]);
    assert!(rig.run(&["dump", "web"]).contains("jobs_total 1\n"));
    rig.run(&["rm", "web"]);
    assert!(rig.files().is_empty());
}

#[test]
fn what_was_a_board_is_removed_by_its_name_or_by_force() {
    let rig = Rig::new();
    let other = rig.path().join("web.board");
    let other_name = other.to_str().unwrap();
    for path in [&rig.board("web"), &other] {
        rig.run(&["create", path.to_str().unwrap()]);
        let file = std::fs::File::options().write(true).open(path);
        file.unwrap().set_len(0).unwrap();
    }
    rig.run(&["rm", "web"]);
    let refused = rig.fail(&["rm", other_name], 1);
    assert!(refused.contains("--force"), "{refused}");
    rig.run(&["rm", "--force", other_name]);
    assert!(rig.files().is_empty());
}

#[test]
fn whoever_counts_on_a_disk_may_say_so() {
    let rig = Rig::new();
    // Cargo's directory for tests is on a disk, as a rule; where it is in memory nothing
    // needs a permission, and it does no harm.
    let disk = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = disk.path().join("web.v1.board");
    let board = ["--board", path.to_str().unwrap(), "--allow-any-filesystem"];
    for command in [
        &["create"][..],
        &["inc", "jobs_total"],
        &["set", "heat", "1"],
        &["observe", "wait", "1"],
        &["check"],
    ] {
        rig.run(&[command, &board].concat());
    }
    let dump = rig.run(&[&["dump"][..], &board].concat());
    assert!(dump.contains("jobs_total 1\n") && dump.contains("wait_count 1\n"));
    rig.run(&[&["rm"][..], &board].concat());
    assert!(!path.exists());
}

#[test]
fn the_environment_names_the_board() {
    let rig = Rig::new();
    let mut command = rig.command(&["inc", "jobs_total"]);
    assert!(
        command
            .env("TALLYBOARD", "nightly")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(rig.files(), [rig.board("nightly")]);
    let mut off = rig.command(&["inc", "jobs_total"]);
    assert!(off.env("TALLYBOARD", "off").status().unwrap().success());
    assert_eq!(rig.files().len(), 1);
}

#[test]
fn a_reader_that_has_read_enough_is_no_error() {
    let rig = Rig::new();
    rig.run(&["inc", "jobs_total"]);
    for arguments in [&["dump"][..], &["dump", "--json"], &["check"]] {
        let mut command = rig.command(arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_tells_what_happens() {
    let rig = Rig::new();
    // clap breaks lines where the terminal ends.
    let help = |command: &str| {
        let help = rig.run(&[command, "--help"]);
        help.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    // Without --max-ratio nothing is gated, with or without restartable sequences.
    assert!(help("bench").contains("[default with --max-ratio: 1.3]"));
    let create = help("create");
    assert!(create.contains("install -d -m 2770 -g metrics /run/tallyboard tallyboard create"));
    assert!(create.contains("TALLYBOARD_DIR"));
    let observe = help("observe");
    assert!(observe.contains("OpenMetrics") && observe.contains("neither `_sum` nor `_count`"));
}

#[test]
fn without_a_command_there_is_help() {
    let rig = Rig::new();
    let output = rig.output(&[]);
    assert_eq!(output.status.code(), Some(2));
    let help = String::from_utf8(output.stderr).unwrap();
    assert!(help.contains("Usage: tallyboard <COMMAND>"), "{help}");
}

#[test]
fn help_tells_the_exit_statuses() {
    let rig = Rig::new();
    let help = rig.run(&["--help"]);
    for part in ["Exit status:", "Environment:", "Examples:", "serve", "demo"] {
        assert!(help.contains(part), "{part}");
    }
    assert!(!help.contains("worker") && !help.contains("peer"));
    let version = format!("tallyboard, version {} (", env!("CARGO_PKG_VERSION"));
    for arguments in [&["--version"][..], &["serve", "--version"]] {
        let said = rig.run(arguments);
        assert!(
            said.starts_with(&version) && said.ends_with(")\n"),
            "{said}"
        );
    }
}
