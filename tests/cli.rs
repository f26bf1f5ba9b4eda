//! The command line as people and pipelines meet it: files, arguments and a configuration go in; an exit code, a
//! report on standard output and errors on standard error come out.

#![allow(clippy::format_collect, reason = "texts of a test are small enough")]
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod program;

use std::fs;
use std::io::Read as _;
use std::process::Stdio;
use std::sync::Mutex;

use program::{Folder, LIMIT, Run, assert_refused, grammar};

/// Lints one file, `a.topo`.
fn check(text: impl AsRef<[u8]>, arguments: &str) -> Run {
    Folder::of(text).run(&format!("check a.topo {arguments}"))
}

/// Lints one file under a configuration.
fn configured(configuration: &str, text: &str, arguments: &str) -> Run {
    Folder::of(text).with("topolint.yaml", configuration).run(&format!("check a.topo {arguments}"))
}

/// Asks where a value comes from.
fn explain(text: &str, place: &str) -> Run {
    Folder::of(text).run(&format!("explain a.topo --where {place}"))
}

/// One call, bounded: nothing is wrong with it.
const CLEAN: &str = "client web\nservice shop\nweb -> shop { timeout 1s }\n";

/// One call that states no timeout: `missing-timeout`, possible.
const UNSTATED: &str = "client web\nservice shop\nweb -> shop\n";

/// A name that nothing declares: an error, whatever is configured.
const UNKNOWN: &str = "client web\nservice shop\nweb -> shop { timeout 1s }\nweb -> shpo { timeout 1s }\n";

const EXAMPLES: [&str; 4] = ["bare", "bookinfo", "online-boutique", "shop"];

fn example(name: &str) -> String {
    fs::read_to_string(format!("examples/{name}.topo")).expect("an example")
}

// ------------------------------------------------------------------------------------------------ Exit codes

#[test]
fn nothing_found_is_0_and_says_nothing() {
    let run = check(CLEAN, "");
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""));
}

#[test]
fn a_finding_at_or_above_fail_on_is_1() {
    let one_finding_of_each_level =
        [("error", [1, 1, 1, 0]), ("warn", [0, 1, 1, 0]), ("info", [0, 0, 1, 0]), ("off", [0, 0, 0, 0])];
    for (level, codes) in one_finding_of_each_level {
        for (fail_on, code) in ["error", "warn", "info", "never"].into_iter().zip(codes) {
            let run = configured(&format!("unstated: {level}\n"), UNSTATED, &format!("--fail-on {fail_on}"));
            assert_eq!(run.code, Some(code), "{level} with --fail-on {fail_on}: {run:?}");
        }
    }
}

#[test]
fn fail_on_is_error_unless_it_is_said() {
    assert_eq!(check(UNSTATED, "").code, Some(0));
    assert_eq!(check(UNKNOWN, "").code, Some(1));
}

#[test]
fn a_syntax_error_is_a_finding() {
    let run = check("client web\n-> ->\n", "");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.rules().contains(&"syntax"), "{run:?}");
}

#[test]
fn the_code_never_depends_on_the_format() {
    for text in [CLEAN, UNSTATED, UNKNOWN, "client web\n-> ->\n", "{{{", ""] {
        for fail_on in ["error", "warn", "info", "never"] {
            let codes = ["auto", "human", "human -q", "concise"]
                .map(|format| check(text, &format!("--fail-on {fail_on} -f {format}")).code);
            assert!(codes.iter().all(|code| *code == codes[0]), "{text}: {codes:?}");
        }
    }
}

#[test]
fn an_unknown_flag_is_2() {
    assert_refused(&check(CLEAN, "--bogus"), &["--bogus"]);
    assert_refused(&check(CLEAN, "-f pretty"), &["pretty", "concise"]);
    assert_refused(&check(CLEAN, "--fail-on often"), &["often", "never"]);
    assert_refused(&check(CLEAN, "--today 2027-02-30"), &["2027-02-30"]);
    assert_refused(&Folder::new().run("chekc"), &["chekc", "check"]);
}

#[test]
fn a_missing_path_is_2() {
    assert_refused(&Folder::new().run("check nope.topo"), &["nope.topo"]);
    assert_refused(&Folder::of(UNKNOWN).run("check a.topo nope"), &["nope"]);
}

#[test]
fn a_folder_without_topo_files_is_2() {
    let folder = Folder::new().with("notes/readme.txt", "");
    assert_refused(&folder.run("check notes"), &["`notes`", ".topo"]);
    assert_refused(&folder.run("check"), &[".topo"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_2() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::of(CLEAN).with_link("loop.topo", "loop.topo");
    assert_refused(&folder.run("check loop.topo"), &["loop.topo"]);
    let closed = folder.path("a.topo");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("permissions");
    // Nothing is closed to root.
    if fs::read(closed).is_err() {
        assert_refused(&folder.run("check a.topo"), &["`a.topo`", "permission"]);
        assert_refused(&folder.run("check"), &["`a.topo`", "permission"]);
    }
}

#[test]
fn a_file_above_the_largest_size_is_2() {
    assert_refused(&check(CLEAN, "--max-file-size 10"), &["`a.topo`", "10", "--max-file-size"]);
    assert_eq!(check(CLEAN, &format!("--max-file-size {}", CLEAN.len())).code, Some(0));
}

#[test]
fn a_file_outside_of_the_project_is_2() {
    let folder = Folder::of(CLEAN).with("../other/b.topo", CLEAN);
    assert_refused(&folder.run("check a.topo ../other/b.topo"), &["`../other/b.topo`", "outside"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_name_that_is_not_utf8_does_not_lie_outside() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let folder = Folder::of(CLEAN);
    fs::write(folder.path("").join(OsStr::from_bytes(b"b\xff.topo")), CLEAN).expect("a file");
    let run = folder.run("check");
    assert!(!run.err.contains("outside"), "{run:?}");
}

// --------------------------------------------------------------------------------- The broken configuration

/// A configuration that is refused at its place, with these words.
fn assert_misconfigured(configuration: &str, place: &str, words: &[&str]) {
    let run = configured(configuration, CLEAN, "");
    let place = format!("topolint.yaml:{place}");
    assert_refused(&run, &[place.as_str()]);
    assert_refused(&run, words);
}

#[test]
fn a_tab_in_the_configuration_is_shown() {
    assert_misconfigured("levels:\n\tsync-cycle: off\n", "2:", &["tab", "sync-cycle: off"]);
}

#[test]
fn a_duplicate_key_of_the_configuration_is_shown() {
    assert_misconfigured("levels:\n  sync-cycle: off\n  sync-cycle: warn\n", "3:3", &["duplicate", "sync-cycle"]);
    assert_misconfigured("unstated: off\nunstated: warn\n", "2:1", &["duplicate", "unstated"]);
}

#[test]
fn an_unknown_key_of_the_configuration_is_shown_with_what_was_meant() {
    assert_misconfigured("unstated: off\nlevles:\n  sync-cycle: off\n", "2:1", &["`levles`", "did you mean `levels`?"]);
}

#[test]
fn an_unknown_rule_of_the_configuration_is_shown_with_what_was_meant() {
    assert_misconfigured("levels:\n  sync-cycel: off\n", "2:3", &["`sync-cycel`", "did you mean `sync-cycle`?"]);
    assert_misconfigured("levels:\n  zero-latensy: off\n", "2:3", &["did you mean `zero-latency`?"]);
}

#[test]
fn a_wrong_level_of_the_configuration_is_shown_with_the_levels() {
    assert_misconfigured("levels:\n  sync-cycle: eror\n", "2:15", &["`eror`", "did you mean `error`?", "`off`"]);
    assert_misconfigured("unstated: loud\n", "1:11", &["`loud`", "`error`, `warn`, `info` and `off`"]);
}

#[test]
fn a_wrong_type_in_the_configuration_is_shown() {
    assert_misconfigured("levels: 5\n", "1:9", &[]);
    assert_misconfigured("levels:\n  - sync-cycle\n", "2:", &[]);
    assert_misconfigured("levels:\n  sync-cycle: [off]\n", "2:15", &[]);
    assert_misconfigured("unstated: [off]\n", "1:11", &[]);
    assert_misconfigured("- rules\n", "1:1", &[]);
    assert_misconfigured("unstated:\n", "1:", &[]);
}

#[test]
fn a_broken_configuration_is_explained_without_the_words_of_its_reader() {
    for configuration in ["unstated:\n", "levels:\n  sync-cycle:\n", "unstated: off\nunstated: warn\n"] {
        let run = configured(configuration, CLEAN, "");
        let jargon = ["Option<", "DuplicateKeyPolicy", "deserialize"].iter().find(|word| run.err.contains(**word));
        assert_eq!(jargon, None, "{run:?}");
    }
}

#[test]
fn all_that_is_wrong_with_the_configuration_is_shown_at_once() {
    let run = configured("levles: 1\nlevels:\n  sync-cycel: off\nunstated: loud\n", CLEAN, "");
    assert_refused(&run, &["topolint.yaml:1:1", "topolint.yaml:3:3", "topolint.yaml:4:11"]);
}

#[test]
fn a_configuration_that_is_missing_is_2() {
    assert_refused(&check(CLEAN, "-c nope.yaml"), &["nope.yaml"]);
    assert_refused(&check(CLEAN, "-c ."), &["`.`"]);
    assert_refused(&check(CLEAN, "-c nope.yaml --isolated"), &["--isolated"]);
}

#[test]
fn a_configuration_that_says_nothing_is_none() {
    for configuration in ["", "\n", "# levels:\n", "{}\n", "levels: {}\n"] {
        let run = configured(configuration, UNSTATED, "");
        assert_eq!(run.of_rule("missing-timeout").len(), 1, "{configuration:?}: {run:?}");
    }
}

// --------------------------------------------------------------------------------------------------- Streams

#[test]
fn how_many_threads_there_are_changes_no_byte() {
    let service = |index: usize| format!("service s{index} {{ -> s{}; !!; owner a; !! }}\n", index + 1);
    let text = format!("client web\nweb -> s0\nservice s700\n{}", (0..700).map(service).collect::<String>());
    let folder = Folder::of(text.replace("s7 {", "s7x {")).with("before/a.topo", text);
    for (arguments, least) in [("check a.topo -f json", 512), ("diff a.topo --against ./before -f json", 3)] {
        let with = |threads: &str| Run::of(folder.command(arguments).env("RAYON_NUM_THREADS", threads));
        let [one, four] = ["1", "4"].map(with);
        assert!(one.out.matches("\"fingerprint\"").count() > least, "{arguments}: {}", one.out);
        assert_eq!(one.out, four.out, "{arguments}");
    }
}

#[test]
fn standard_output_is_the_report_and_nothing_else() {
    for (text, arguments) in [(UNKNOWN, ""), (UNSTATED, "-f human"), (CLEAN, "-f human"), ("{{{", "-f human")] {
        let run = check(text, arguments);
        assert_eq!(run.err, "", "{run:?}");
    }
    for name in EXAMPLES {
        assert_eq!(check(example(name), "-f human").err, "");
    }
}

#[test]
fn answers_go_to_standard_output_and_mistakes_in_the_call_do_not() {
    for arguments in ["--help", "--version", "check --help", "reference", "explain missing-timeout"] {
        let run = Folder::new().run(arguments);
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{arguments}");
        assert!(!run.out.is_empty(), "{arguments}");
    }
    assert_refused(&Folder::new().run(""), &["Usage"]);
}

/// Texts that try to break out of the line of a concise report.
const NASTY: [&str; 5] = [
    "client web\nservice shop \"two\\nlines\"\nweb -> shop \"a\\tb\"\nweb -> nope\n",
    "client web\r\nservice shop\r\nweb -> shop\r\nbogus\r\n",
    "client a: error[x] y\nb: warn[z] z\n: : :\n",
    "include \"a\\nb.topo\"\nallow \"x\\ny\" \"z\"\ntopology \"a\\nb\"\nbogus \"\\n\\n\"\n",
    "service \u{1b}[31m\u{7} \u{202e}x \u{0}\n\u{85}\u{9b}31m\n\"\n",
];

#[test]
fn every_line_of_a_concise_report_obeys_its_grammar() {
    for text in EXAMPLES.map(example).iter().map(String::as_str).chain(NASTY).chain([UNKNOWN, UNSTATED, "}{"]) {
        let run = check(text, "-f concise --color always");
        for line in run.out.lines() {
            let parts = grammar(line).unwrap_or_else(|| panic!("not concise: {line:?}"));
            let again = format!(
                "{}:{}:{}: {}[{}] {}",
                parts.file, parts.row, parts.column, parts.level, parts.rule, parts.message
            );
            assert_eq!((parts.file, again.as_str()), ("a.topo", line));
        }
    }
}

#[test]
fn a_concise_line_names_file_line_column_level_and_rule() {
    let run = Folder::new().with("shops/a.topo", UNKNOWN).run("check -f concise");
    assert_eq!(run.out, "shops/a.topo:4:8: error[unknown-name] there is no node `shpo`\n");
}

#[test]
fn columns_count_characters_in_every_format() {
    let text = "client web \"Käufer 購入者\"; bogus\n";
    let place = "a.topo:1:26";
    let concise = check(text, "");
    assert!(concise.out.contains(&format!("{place}: ")), "{concise:?}");
    let human = check(text, "-f human");
    assert!(human.out.contains(&format!("[{place}]")), "{human:?}");
}

#[cfg(unix)]
#[test]
fn a_file_name_cannot_break_out_of_its_line() {
    let folder = Folder::new().with("a\u{1b}[31m\n\u{202e}:1.topo", UNSTATED);
    for format in ["concise", "human"] {
        let run = folder.run(&format!("check -f {format}"));
        assert!(!run.out.contains(['\u{1b}', '\u{202e}']) && !run.out.contains("m\n"), "{run:?}");
    }
    let refused = folder.run("check --max-file-size 1");
    assert!(!refused.err.contains('\u{1b}'), "{:?}", refused.err);
}

#[test]
fn auto_is_concise_where_nobody_looks() {
    assert_eq!(check(UNKNOWN, "").out, check(UNKNOWN, "-f concise").out);
    assert_eq!(check(UNKNOWN, "-f auto").out, check(UNKNOWN, "-f concise").out);
}

#[test]
fn the_format_comes_from_the_flag_and_then_from_the_environment() {
    let folder = Folder::of(UNKNOWN);
    let run = |arguments, format| Run::of(folder.command(arguments).env("TOPOLINT_FORMAT", format));
    assert_eq!(run("check", "human").out, folder.run("check -f human").out);
    assert_eq!(run("check -f concise", "human").out, folder.run("check -f concise").out);
    assert_refused(&run("check", "pretty"), &["pretty"]);
}

/// Lines of more than 80 columns; addresses are not broken.
fn too_wide(report: &str) -> Vec<&str> {
    let is_too_wide = |line: &&str| textwrap::core::display_width(line) > 80 && !line.contains("://");
    report.lines().filter(is_too_wide).collect()
}

#[test]
fn the_report_of_every_example_fits_into_80_columns() {
    let incidents = ["fortnite-2018", "square-2017", "twilio-2013"].map(|name| format!("incidents/{name}-bad"));
    for name in EXAMPLES.map(str::to_owned).into_iter().chain(incidents) {
        let path = format!("examples/{name}.topo");
        let run = Folder::new().with(&path, example(&name)).run(&format!("check {path} -f human -q"));
        assert_eq!(too_wide(&run.out), [""; 0], "{name}");
    }
}

#[test]
fn the_help_that_several_findings_share_does_not_begin_with_or() {
    let calls = ["a", "b", "c"].map(|store| format!("-> {store}.write {{ timeout 1s }}; ")).concat();
    let web = "web -> shop { timeout 9s; retries 1; backoff fixed 1s }";
    let text = format!("client web\nservice shop {{ {calls} }}\nstore a, b, c\n{web}\n");
    let run = check(text, "-f human --select repeated-effect");
    assert!(run.flat().contains("3 effects may happen more than once"), "{run:?}");
    assert!(run.flat().contains("help: stop repeats there"), "{run:?}");
}

#[test]
fn what_is_said_of_a_box_is_sent_beside_its_defaults() {
    let run = check(format!("defaults {{ region west }}\n{CLEAN}"), "-f human");
    assert!(run.flat().contains("help: write it beside `defaults`"), "{run:?}");
    let run = check(format!("defaults {{ timeout 1s }}\n{CLEAN}"), "-f human");
    assert!(run.flat().contains("help: write `defaults { call { timeout 1s } }`"), "{run:?}");
}

#[test]
fn the_table_of_bets_fits_into_80_columns() {
    let run = check(CLEAN, "-f human");
    assert_eq!(too_wide(&run.out), [""; 0]);
}

#[test]
fn a_list_of_calls_with_long_names_fits_into_80_columns() {
    let [a, b] = ["recommendationservice-of-the-shop", "productcatalogservice-of-the-shop"];
    let text = format!("client web\nservice {a}, {b}\nweb -> {a}\nweb -> {b}\n{a} -> {b}\n{b} ->> {a}\n");
    assert_eq!(too_wide(&check(text, "-f human -q").out), [""; 0]);
}

#[test]
fn wide_characters_count_as_two_columns() {
    let word = "購入者".repeat(30);
    let text = format!("client web \"{word}\"\nbogus {word}\nallow \"{word}\" \"x\"\ntopology \"{word}\"\n");
    assert_eq!(too_wide(&check(text, "-f human -q").out), [""; 0]);
}

#[test]
fn an_address_is_never_broken() {
    let address = "https://github.com/grpc/grpc.io/blob/main/content/en/docs/guides/deadlines.md";
    let text = "client web\nservice shop\nweb -> shop { via grpc }\n";
    assert!(check(text, "-f human").out.contains(address), "in a report");
    assert!(Folder::new().run("explain via").out.contains(address), "in a page");
}

#[test]
fn a_day_is_never_broken() {
    let text = allowing("timeout 1s; allow missing-timeout \"a batch job\" until 2027-03-31");
    let run = check(text, "-f human --today 2027-04-01");
    assert!(run.out.contains("ended on 2027-03-31") || run.out.contains("\n    2027-03-31"), "{run:?}");
}

#[test]
fn a_name_is_never_broken() {
    for length in 1..40 {
        let text = format!(
            "client web\nservice {0}, order-events-of-the-shop, last-of-all\nweb -> {0} {{ timeout 9s }}\n\
            {0} -> order-events-of-the-shop {{ timeout 9s }}\norder-events-of-the-shop -> last-of-all {{ timeout 99s }}\n",
            "x".repeat(length)
        );
        let run = check(text, "-f human -q");
        assert!(!run.out.lines().any(|line| line.ends_with('-')), "{run:?}");
    }
}

#[test]
fn the_line_end_of_other_systems_is_not_shown() {
    let run = check("client web\r\nservice shop\r\nweb -> shop\r\n", "-f human");
    assert!(run.out.contains("3 │ web -> shop\n"), "{run:?}");
}

#[test]
fn quiet_leaves_the_table_of_bets_out() {
    assert!(check(CLEAN, "-f human").out.contains("the network is reliable"));
    assert!(!check(CLEAN, "-f human -q").out.contains("the network is reliable"));
}

#[test]
fn nothing_found_is_said_to_people() {
    let run = configured("unstated: off\n", CLEAN, "-f human");
    assert!(run.flat().contains("nothing found in 2 nodes and 1 call"), "{run:?}");
}

#[test]
fn one_is_no_plural() {
    let run = check(CLEAN, "-f human -q");
    assert!(run.flat().ends_with("and 1 call"), "{run:?}");
}

#[test]
fn the_last_line_counts_by_level() {
    let run = check(format!("{UNKNOWN}web -> shop\nweb -> shop\n"), "-f human");
    assert!(run.flat().contains("1 error, 2 warnings in 2 nodes and 3 calls"), "{run:?}");
}

/// The report under these variables.
fn colored(arguments: &str, environment: &[(&str, &str)]) -> bool {
    let folder = Folder::of(UNKNOWN);
    let mut command = folder.command(&format!("check {arguments}"));
    Run::of(command.envs(environment.iter().copied())).out.contains('\u{1b}')
}

#[test]
fn colours_follow_the_flag_then_no_color_then_force_color_then_the_terminal() {
    assert!(!colored("-f human", &[]), "no terminal");
    assert!(colored("-f human", &[("FORCE_COLOR", "1")]));
    assert!(!colored("-f human", &[("FORCE_COLOR", "1"), ("NO_COLOR", "1")]));
    assert!(colored("-f human", &[("FORCE_COLOR", "1"), ("NO_COLOR", "")]), "an empty NO_COLOR says nothing");
    assert!(colored("-f human --color always", &[("NO_COLOR", "1")]));
    assert!(!colored("-f human --color never", &[("FORCE_COLOR", "1")]));
    assert!(!colored("-f concise --color always", &[]), "programs read it");
}

#[test]
fn colours_change_no_letter() {
    for name in EXAMPLES {
        let colored = check(example(name), "-f human --color always").out;
        let mut plain = String::new();
        for (index, piece) in colored.split('\u{1b}').enumerate() {
            let text = if index == 0 { piece } else { piece.split_once('m').expect("an end of the colour").1 };
            plain.push_str(text);
        }
        let trimmed = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
        assert_eq!(trimmed(&plain), trimmed(&check(example(name), "-f human --color never").out), "{name}");
    }
}

/// Runs with a reader that goes away after so many bytes.
fn closed_after(folder: &Folder, arguments: &str, bytes: u64) -> (Option<i32>, String) {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_topolint"));
    command.current_dir(folder.path("")).args(arguments.split_whitespace());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a program that runs");
    let out = child.stdout.take().expect("its output");
    let _ = out.take(bytes).read_to_end(&mut Vec::new());
    let output = child.wait_with_output().expect("its end");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_closed_pipe_is_a_normal_end() {
    // More than any pipe holds.
    let folder = Folder::of("bogus\n".repeat(3000));
    for arguments in ["check -f concise a.topo", "check a.topo -f human -q", "reference"] {
        for bytes in [0, 100] {
            assert_eq!(closed_after(&folder, arguments, bytes), (Some(0), String::new()), "{arguments} after {bytes}");
        }
    }
}

// -------------------------------------------------------------------------------------------- Standard input

fn piped(folder: &Folder, arguments: &str, text: impl Into<Vec<u8>>) -> Run {
    Run::of(folder.command(arguments).write_stdin(text))
}

#[test]
fn a_hyphen_reads_standard_input() {
    assert_eq!(piped(&Folder::new(), "check -", CLEAN).code, Some(0));
    let run = piped(&Folder::new(), "check -", UNKNOWN);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.out, "<stdin>:4:8: error[unknown-name] there is no node `shpo`\n");
}

#[test]
fn standard_input_includes_from_the_current_folder() {
    let folder = Folder::new().with("b.topo", "service shop\n");
    let text = "include \"b.topo\"\nclient web\nweb -> shop { timeout 1s }\n";
    assert_eq!(piped(&folder, "check -", text).out, "");
}

#[test]
fn standard_input_follows_the_configuration_of_the_current_folder() {
    let folder = Folder::new().with("topolint.yaml", "unstated: error\n");
    assert_eq!(piped(&folder, "check -", UNSTATED).code, Some(1));
}

#[test]
fn standard_input_stands_beside_files() {
    let run = piped(&Folder::of(UNKNOWN), "check - a.topo", UNKNOWN);
    let files: Vec<&str> = run.out.lines().map(|line| grammar(line).expect("a concise line").file).collect();
    assert_eq!(files, ["<stdin>", "a.topo"], "{run:?}");
}

#[test]
fn standard_input_has_a_largest_size() {
    assert_refused(&piped(&Folder::new(), "check - --max-file-size 5", CLEAN), &["5 bytes", "--max-file-size"]);
    let run = piped(&Folder::new(), &format!("check - --max-file-size {}", u64::MAX), CLEAN);
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn empty_standard_input_is_an_empty_diagram() {
    assert_eq!(piped(&Folder::new(), "check -", "").code, Some(0));
}

// ------------------------------------------------------------------------------------- Pages of `explain`

#[test]
fn explain_shows_the_page_of_a_rule() {
    let run = Folder::new().run("explain missing-timeout");
    assert_eq!(run.code, Some(0));
    assert!(run.out.starts_with("missing-timeout\n"));
    for part in ["Why", "What to do", "Found here", "Not here", "timeout 500ms", "reliable-network"] {
        assert!(run.out.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn explain_shows_the_rules_of_a_family() {
    let run = Folder::new().run("explain reliable-network");
    assert_eq!(run.code, Some(0));
    assert!(run.out.contains("the network is reliable") && run.out.contains("timeout-inversion"), "{run:?}");
    assert!(!run.out.contains("sync-cycle"), "{run:?}");
}

#[test]
fn explain_via_shows_the_dated_table_of_clients() {
    let run = Folder::new().run("explain via");
    for part in ["via grpc", "via istio", "timeout", "no deadline unless the call sets one", "read 20", "https://"] {
        assert!(run.out.contains(part), "{part}: {run:?}");
    }
}

#[test]
fn explain_shows_the_page_of_an_attribute() {
    let run = Folder::new().run("explain timeout");
    assert!(run.out.starts_with("timeout D\n") && run.out.contains("It may stand on: call."), "{run:?}");
}

#[test]
fn explain_takes_several_subjects() {
    let run = Folder::new().run("explain timeout sync-cycle");
    assert!(run.out.contains("timeout D\n") && run.out.contains("\nsync-cycle\n"), "{run:?}");
}

#[test]
fn explain_of_an_unknown_subject_asks_what_was_meant() {
    let folder = Folder::new();
    assert_refused(&folder.run("explain missing-timeot"), &["`missing-timeot`", "did you mean `missing-timeout`?"]);
    assert_refused(&folder.run("explain zero-latensy"), &["did you mean `zero-latency`?"]);
    assert_refused(&folder.run("explain retires"), &["did you mean `retries`?"]);
    assert_refused(&folder.run("explain qqqqqqqq"), &["`qqqqqqqq`", "a rule, a family or an attribute"]);
    assert_refused(&folder.run("explain"), &["SUBJECT"]);
}

#[test]
fn a_page_fits_into_80_columns_apart_from_its_example() {
    for subject in ["via", "model", "reliable-network", "suppression", "timeout", "retries", "needs", "backoff"] {
        let run = Folder::new().run(&format!("explain {subject}"));
        assert_eq!(too_wide(&run.out), [""; 0], "{subject}");
    }
}

// ------------------------------------------------------------------------------------- `explain --where`

/// Everything that may speak of the encryption of one call, and of another in an included file.
const ALL_PLACES: &str = "\
topology t { defaults { call { encryption tls; timeout 7s } } }
include \"b.topo\"
defaults { call { encryption mtls; timeout 6s; via grpc } }
policy p { encryption none }
group g {
  defaults { call { encryption tls; timeout 5s } }
  service shop {
    defaults { call { encryption mtls; timeout 4s } }
    operation buy {
      -> db.write { encryption tls; use p }
    }
  }
}
client web
store db { encryption mtls }
web -> shop.buy
web -> inner
";

const INCLUDED: &str = "\
defaults { call { encryption tls } }
group h {
  defaults { call { encryption none } }
  service inner {
    -> db.read
  }
}
";

fn trace_all_places(place: &str) -> Run {
    Folder::of(ALL_PLACES).with("b.topo", INCLUDED).run(&format!("explain a.topo --where {place}"))
}

#[test]
fn where_names_every_place_that_speaks_of_a_call_strongest_first() {
    let run = trace_all_places("shop.buy->db.write.encryption");
    assert_eq!(run.code, Some(0));
    assert!(run.out.starts_with("shop.buy->db.write: encryption tls\n"), "{run:?}");
    let strongest_first = [
        "a.topo:10:21  encryption tls",  // the call
        "a.topo:4:12  encryption none",  // its policy
        "a.topo:15:12  encryption mtls", // the callee
        "a.topo:8:23  encryption mtls",  // defaults of the node
        "a.topo:6:21  encryption tls",   // of the group
        "a.topo:3:19  encryption mtls",  // of the file
        "a.topo:1:32  encryption tls",   // of the topology
    ];
    assert_eq!(run.places(), strongest_first, "{run:?}");
}

#[test]
fn where_names_what_each_place_is() {
    let run = trace_all_places("shop.buy->db.write.encryption");
    let words = ["stated on it", "policy `p`", "callee", "of `shop`", "group `g`", "of the file", "of the topology"];
    let lines: Vec<&str> = run.out.lines().filter(|line| line.starts_with("    ")).collect();
    assert_eq!(lines.len(), words.len(), "{run:?}");
    assert!(lines.iter().zip(words).all(|(line, word)| line.contains(word)), "{run:?}");
}

#[test]
fn defaults_of_the_root_file_reach_what_it_includes() {
    let run = trace_all_places("inner->db.read.encryption");
    let strongest_first = [
        "a.topo:15:12  encryption mtls", // the callee
        "b.topo:3:21  encryption none",  // defaults of the group
        "b.topo:1:19  encryption tls",   // of the file
        "a.topo:3:19  encryption mtls",  // of the root file
        "a.topo:1:32  encryption tls",   // of the topology
    ];
    assert_eq!(run.places(), strongest_first, "{run:?}");
}

#[test]
fn defaults_of_an_included_file_stay_in_it() {
    let run = trace_all_places("web->inner.encryption");
    assert_eq!(run.places(), ["a.topo:3:19  encryption mtls", "a.topo:1:32  encryption tls"], "{run:?}");
}

#[test]
fn the_table_of_via_is_the_weakest() {
    let run = trace_all_places("web->shop.buy.timeout");
    let places = run.places();
    assert_eq!(places[..2], ["a.topo:3:36  timeout 6s", "a.topo:1:48  timeout 7s"], "{run:?}");
    assert!(places[2].starts_with("https://") && places[2].ends_with("timeout none"), "{run:?}");
}

#[test]
fn a_default_of_the_table_has_its_source_and_its_day() {
    let run = explain("client web\nservice shop\nweb -> shop { via grpc }\n", "web->shop.timeout");
    assert!(run.out.starts_with("web->shop: timeout none\n"), "{run:?}");
    assert!(run.out.contains("https://") && run.out.contains("(20") && run.out.contains("gRPC"), "{run:?}");
}

#[test]
fn a_proxy_fills_in_nothing() {
    let run = explain("client web\nservice shop\nweb -> shop { via istio }\n", "web->shop.retries");
    assert_eq!((run.code, run.places().len()), (Some(0), 0), "{run:?}");
}

#[test]
fn a_policy_beats_the_callee_and_defaults() {
    let text = "policy p { encryption none }\ndefaults { call { encryption mtls; use p } }\nclient web\n\
        store db { encryption tls }\nweb -> db { use p }\n";
    assert_eq!(
        explain(text, "web->db.encryption").places(),
        ["a.topo:1:12  encryption none", "a.topo:4:12  encryption tls", "a.topo:2:19  encryption mtls"]
    );
}

#[test]
fn what_a_callee_insists_on_is_its_operation_then_its_node_then_its_boxes() {
    let text = "encryption none\nclient web\ngroup g {\n  encryption tls\n  service shop {\n    encryption mtls\n    \
        operation buy { encryption tls }\n    operation look\n  }\n}\nweb -> shop.buy\nweb -> shop.look\n";
    let [node, group, file] =
        ["a.topo:6:5  encryption mtls", "a.topo:4:3  encryption tls", "a.topo:1:1  encryption none"];
    assert_eq!(explain(text, "web->shop.buy.encryption").places(), ["a.topo:7:21  encryption tls", node, group, file]);
    assert_eq!(explain(text, "web->shop.look.encryption").places(), [node, group, file]);
}

#[test]
fn a_colon_needs_no_quotes() {
    let arrow = trace_all_places("shop.buy->db.write.encryption");
    assert_eq!(trace_all_places("shop.buy:db.write.encryption").out, arrow.out);
}

#[test]
fn retries_and_attempts_say_the_same() {
    let text = "defaults { call { attempts 5 } }\nclient web\nservice shop\nweb -> shop { retries 2 }\n";
    for attribute in ["retries", "attempts"] {
        let run = explain(text, &format!("web->shop.{attribute}"));
        assert_eq!(run.places(), ["a.topo:4:15  retries 2", "a.topo:1:19  attempts 5"], "{run:?}");
    }
}

#[test]
fn none_is_a_value_like_any_other() {
    let text = "defaults { call { timeout 5s } }\nclient web\nservice shop\nweb -> shop { timeout none }\n";
    assert_eq!(explain(text, "web->shop.timeout").places(), ["a.topo:4:15  timeout none", "a.topo:1:19  timeout 5s"]);
}

#[test]
fn what_is_unstated_is_said_to_be_unknown() {
    let run = explain(CLEAN, "web->shop.retries");
    assert_eq!(run.code, Some(0));
    assert_eq!(run.out, "web->shop: `retries` is stated nowhere, so it is unknown\n");
}

#[test]
fn what_is_not_said_of_a_call_is_no_unknown() {
    let run = explain(CLEAN, "web->shop.owner");
    assert_eq!(run.out, "web->shop: `owner` is not said of a call, but of node, group\n");
}

#[test]
fn an_unknown_element_is_asked_back() {
    assert_refused(&explain(CLEAN, "web->shpo.timeout"), &["`web->shpo`", "did you mean `web->shop`?"]);
    assert_refused(&explain(CLEAN, "shpo.owner"), &["`shpo`", "did you mean `shop`?"]);
    assert_refused(&explain(CLEAN, "shop->web.timeout"), &["`shop->web`"]);
}

#[test]
fn an_unknown_attribute_is_asked_back() {
    assert_refused(&explain(CLEAN, "web->shop.timeuot"), &["`timeuot`", "did you mean `timeout`?"]);
    assert_refused(&explain(CLEAN, "web->shop"), &["`web->shop`"]);
}

#[test]
fn a_queue_is_named_as_in_the_findings() {
    let text = "service a, b\nqueue q\na ->> q { outbox }\nq ->> b { consumers 2 }\n";
    for arrow in ["->>", "->", ":"] {
        assert_eq!(explain(text, &format!("a{arrow}q.publish.outbox")).places(), ["a.topo:3:11  outbox"]);
        assert_eq!(explain(text, &format!("q.publish{arrow}b.consumers")).places(), ["a.topo:4:11  consumers 2"]);
    }
}

#[test]
fn where_looks_in_folders_too() {
    let folder = Folder::new().with("one/a.topo", CLEAN).with("two/b.topo", CLEAN);
    assert_eq!(folder.run("explain --where web->shop.timeout").places().len(), 2);
    assert_eq!(folder.run("explain two --where web->shop.timeout").places(), ["two/b.topo:3:15  timeout 1s"]);
}

// ----------------------------------------------------------------------------------------------- The cascade

const BOXES: &str = "\
topology t { owner of-topology; region of-topology }
owner of-file
client web
group outer {
  owner of-outer
  service first
  group inner {
    owner of-inner
    service second
    service third { owner of-node }
    service fourth { operation buy }
  }
}
group late {
  defaults { service { owner of-services } }
  owner of-late
  service fifth
  store sixth
  group within {
    owner of-within
    service seventh
  }
}
external eighth { owner none }
";

#[test]
fn the_innermost_box_decides_and_the_node_before_all_boxes() {
    let owners = [
        ("web", "of-file"),
        ("first", "of-outer"),
        ("second", "of-inner"),
        ("third", "of-node"),
        ("fourth.buy", "of-inner"),
        ("eighth", "none"),
    ];
    for (node, owner) in owners {
        let run = explain(BOXES, &format!("{node}.owner"));
        assert!(run.out.starts_with(&format!("{node}: owner {owner}\n")), "{run:?}");
    }
}

#[test]
fn each_box_overrides_the_one_around_it() {
    let run = explain(BOXES, "third.owner");
    let inner_to_outer = ["of-node", "of-inner", "of-outer", "of-file", "of-topology"];
    let stated: Vec<&str> = run.places().iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert_eq!(stated, inner_to_outer, "{run:?}");
}

#[test]
fn what_the_topology_says_reaches_every_node() {
    assert!(explain(BOXES, "third.region").out.starts_with("third: region of-topology\n"));
}

#[test]
fn defaults_of_a_kind_beat_what_the_same_box_says_of_all() {
    assert!(explain(BOXES, "fifth.owner").out.starts_with("fifth: owner of-services\n"));
    assert!(explain(BOXES, "sixth.owner").out.starts_with("sixth: owner of-late\n"));
}

#[test]
fn an_inner_box_beats_the_defaults_of_an_outer_one() {
    assert!(explain(BOXES, "seventh.owner").out.starts_with("seventh: owner of-within\n"));
}

#[test]
fn a_list_replaces_the_whole() {
    let text = "group g {\n  zones a, b, c\n  service s { zones d }\n  service t\n}\n";
    assert!(explain(text, "s.zones").out.starts_with("s: zones d\n"));
    assert!(explain(text, "t.zones").out.starts_with("t: zones a, b, c\n"));
}

#[test]
fn an_amount_is_not_passed_down() {
    let text = "group g {\n  quota 10/s\n  defaults { service { capacity 9/s; concurrency 8 } }\n  \
        service s { capacity 7/s; concurrency 6; operation x; operation y }\n  service t\n}\n";
    for place in ["s.quota", "t.quota", "t.capacity", "t.concurrency", "s.x.capacity", "s.y.concurrency"] {
        let run = explain(text, place);
        assert!(run.out.ends_with("is stated nowhere, so it is unknown\n"), "{run:?}");
    }
    assert!(explain(text, "s.capacity").out.starts_with("s: capacity 7/s\n"));
}

#[test]
fn the_defaults_of_a_node_pass_no_amount_down_either() {
    let run = explain("service s {\n  defaults { operation { load 3/s } }\n  operation x\n}\n", "s.x.load");
    assert_eq!(run.places(), [""; 0], "{run:?}");
}

#[test]
fn an_amount_of_a_node_without_operations_is_that_of_its_only_one() {
    let run = explain("service s { load 5/s }\n", "s.load");
    assert_eq!(run.places(), ["a.topo:1:13  load 5/s"], "{run:?}");
}

#[test]
fn an_amount_in_a_box_is_refused_in_words() {
    let run = check("group g { load 5/s; service a }\n", "");
    assert_eq!(run.of_rule("misplaced-attribute").len(), 1, "{run:?}");
    assert!(!run.out.contains("a this"), "{run:?}");
}

// -------------------------------------------------------------------------------------------------- Includes

/// A file that is included everywhere here.
const SHOP: &str = "service shop\nclient web\nweb -> shop { timeout 1s }\n";

fn including(pattern: &str) -> Folder {
    Folder::of(format!("include \"{pattern}\"\nservice stock\nshop -> stock {{ timeout 500ms }}\n"))
}

#[test]
fn a_file_is_included_by_path() {
    for path in ["parts/b.topo", "./parts/b.topo", "parts/../parts/b.topo"] {
        assert_eq!(including(path).with("parts/b.topo", SHOP).run("check a.topo").out, "", "{path}");
    }
}

#[test]
fn a_path_is_relative_to_the_file_that_it_stands_in() {
    let folder = including("parts/b.topo").with("parts/b.topo", "include \"deep/c.topo\"\n");
    assert_eq!(folder.with("parts/deep/c.topo", SHOP).run("check a.topo").out, "");
}

#[test]
fn files_are_included_by_pattern() {
    let folder = |pattern| {
        including(pattern)
            .with("parts/b.topo", SHOP)
            .with("parts/c.topo", "service tax\nshop -> tax { timeout 1s }\n")
            .with("parts/deep/d.topo", "service mail\nshop -> mail { timeout 1s }\n")
    };
    for (pattern, nodes) in [("parts/*.topo", 4), ("**/*.topo", 5), ("parts/[bc].topo", 4), ("parts/{b,c}.topo", 4)] {
        let run = folder(pattern).run("check a.topo -f human -q");
        assert!(run.flat().contains(&format!("in {nodes} nodes")), "{pattern}: {run:?}");
    }
}

#[test]
fn each_file_is_included_once() {
    let text = "include \"parts/b.topo\"\ninclude \"parts/*.topo\"\ninclude \"./parts/b.topo\"\n";
    let folder = Folder::of(text).with("parts/b.topo", SHOP).with("parts/c.topo", "include \"b.topo\"\n");
    assert_eq!(folder.run("check a.topo").out, "");
}

#[cfg(unix)]
#[test]
fn a_file_is_included_once_under_all_its_names() {
    let folder = Folder::of("include \"b.topo\"\ninclude \"link.topo\"\n").with("b.topo", SHOP);
    let run = folder.with_link("link.topo", "b.topo").run("check a.topo");
    assert_eq!(run.of_rule("duplicate-name"), [""; 0], "{run:?}");
}

#[test]
fn an_include_that_matches_nothing_is_found_at_its_place() {
    for pattern in ["nope.topo", "nope/*.topo", "parts"] {
        let run = including(pattern).with("parts/b.txt", "").run("check a.topo");
        assert_eq!(run.code, Some(1));
        let lines = run.of_rule("broken-include");
        assert_eq!(lines.len(), 1, "{pattern}: {run:?}");
        assert!(lines[0].starts_with("a.topo:1:9: error") && lines[0].contains(pattern), "{run:?}");
    }
}

#[test]
fn files_that_include_each_other_are_found_with_the_chain() {
    let folder = Folder::of("include \"b.topo\"\n");
    let folder = folder.with("b.topo", "include \"c.topo\"\n").with("c.topo", "include \"a.topo\"\n");
    for arguments in ["check a.topo", "check"] {
        let run = folder.run(arguments);
        assert_eq!(run.rules(), ["broken-include"], "{run:?}");
        assert!(run.out.starts_with("c.topo:1:9: error"), "{run:?}");
        assert!(run.out.contains("a.topo -> b.topo -> c.topo -> a.topo"), "{run:?}");
    }
}

#[test]
fn a_file_that_includes_itself_is_found_with_the_chain() {
    let run = check("include \"a.topo\"\n", "");
    assert!(run.out.contains("a.topo -> a.topo"), "{run:?}");
}

#[test]
fn files_that_include_each_other_are_found_beside_a_file_that_stands_alone() {
    let folder = Folder::of("include \"b.topo\"\n").with("b.topo", "include \"a.topo\"\n").with("c.topo", CLEAN);
    let run = folder.run("check");
    assert_eq!(run.rules(), ["broken-include"], "{run:?}");
}

/// Refused, and nothing of the file outside is read or shown.
fn assert_outside(folder: Folder, reason: &str) {
    let folder = folder.with("../outside/secret.topo", "service secret-service\nbogus\n");
    for format in ["concise", "human"] {
        let run = folder.run(&format!("check a.topo -f {format}"));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.out.contains("[broken-include]") && run.flat().contains(reason), "{run:?}");
        assert!(!run.out.contains("secret-service") && !run.out.contains("bogus"), "{run:?}");
    }
}

#[test]
fn an_include_that_climbs_out_of_the_project_is_refused() {
    for path in ["../outside/secret.topo", "parts/../../outside/secret.topo", "../outside/*.topo", "../*/secret.topo"] {
        assert_outside(including(path), "leaves the project root");
    }
}

#[test]
fn an_absolute_include_is_refused() {
    let folder = Folder::new();
    let secret = folder.0.join("outside/secret.topo");
    let folder = folder.with("a.topo", format!("include \"{}\"\n", secret.display()));
    assert_outside(folder, "leaves the project root");
}

#[cfg(unix)]
#[test]
fn an_include_through_a_link_out_of_the_project_is_refused() {
    let link = || including("link.topo").with_link("link.topo", "../outside/secret.topo");
    assert_outside(link(), "outside the project root");
    assert_outside(link().with("a.topo", "include \"*.topo\"\n"), "outside the project root");
    let folder = || Folder::new().with_link("linked", "../outside");
    assert_outside(folder().with("a.topo", "include \"linked/secret.topo\"\n"), "outside the project root");
    assert_outside(folder().with("a.topo", "include \"linked/*.topo\"\n"), "[broken-include]");
    assert_outside(folder().with("a.topo", "include \"**/secret.topo\"\n"), "[broken-include]");
}

#[cfg(unix)]
#[test]
fn a_link_inside_the_project_is_followed() {
    let folder = including("linked/b.topo").with("parts/b.topo", SHOP).with_link("linked", "parts");
    assert_eq!(folder.run("check a.topo").out, "");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_project_is_not_checked() {
    let folder = Folder::of(CLEAN).with("../outside/secret.topo", "service secret-service\nbogus\n");
    let folder = folder.with_link("link.topo", "../outside/secret.topo");
    for arguments in ["check", "check a.topo link.topo", "check link.topo"] {
        let run = folder.run(arguments);
        assert!(!run.out.contains("secret-service") && !run.out.contains("bogus"), "{arguments}: {run:?}");
    }
}

#[test]
fn a_sub_folder_may_include_what_lies_above_it_in_the_project() {
    let folder = Folder::new().with("b.topo", SHOP).with("parts/a.topo", "include \"../b.topo\"\n");
    assert_eq!(folder.run("check parts/a.topo").out, "");
    fs::remove_dir(folder.path(".git")).expect("the mark of the root");
    assert_eq!(folder.run("check parts/a.topo").rules(), ["broken-include"], "nothing marks the root");
}

#[test]
fn two_roots_of_a_folder_are_two_topologies() {
    let run = Folder::of(CLEAN).with("b.topo", CLEAN).run("check");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "their names do not meet");
}

#[test]
fn a_file_that_another_includes_is_no_root() {
    let folder = including("b.topo").with("b.topo", SHOP).with("parts/c.topo", "service alone\n");
    let run = folder.run("check -f human -q");
    assert!(run.flat().contains("in 4 nodes and 2 calls"), "each file counts once: {run:?}");
}

#[test]
fn what_two_roots_include_is_reported_once() {
    let folder = Folder::of("include \"parts/c.topo\"\n").with("b.topo", "include \"parts/c.topo\"\n");
    let run = folder.with("parts/c.topo", UNKNOWN).run("check");
    assert_eq!(run.of_rule("unknown-name").len(), 1, "{run:?}");
}

#[test]
fn names_are_flat_across_files() {
    let folder = Folder::of("include \"b.topo\"\nclient web\ngroup g { service stock }\nweb -> shop { timeout 1s }\n");
    let folder = folder.with("b.topo", "group h { service shop }\nshop -> stock { timeout 500ms }\n");
    assert_eq!(folder.run("check").out, "");
}

#[test]
fn a_name_that_two_files_declare_is_found_with_both_places() {
    let folder = Folder::of("include \"b.topo\"\nservice shop\nclient web\nweb -> shop { timeout 1s }\n");
    let run = folder.with("b.topo", "service shop\n").run("check -f human -q");
    assert!(run.out.contains("[duplicate-name]"), "{run:?}");
    assert!(run.out.contains("a.topo:2:9") && run.out.contains("b.topo:1:9"), "{run:?}");
}

#[test]
fn a_long_chain_of_includes_is_read() {
    let folder = (1..8000).fold(Folder::of("include \"1.topo\"\n"), |folder, number| {
        folder.with(&format!("{number}.topo"), format!("include \"{}.topo\"\n", number + 1))
    });
    let run = folder.with("8000.topo", CLEAN).run("check a.topo");
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
}

// --------------------------------------------------------------------------------------------- Configuration

/// The level of the finding of [`UNSTATED`].
fn level(run: &Run) -> Option<&str> {
    let found = run.of_rule("missing-timeout");
    assert!(found.len() <= 1, "{run:?}");
    grammar(found.first()?).map(|line| line.level)
}

/// A call that is proved to wait for ever.
const PROVED: &str = "client web\nservice shop\nweb -> shop { timeout none }\n";

#[test]
fn a_rule_has_the_level_that_is_configured() {
    for name in ["error", "warn", "info"] {
        let run = configured(&format!("levels:\n  missing-timeout: {name}\n"), PROVED, "");
        assert_eq!(level(&run), Some(name), "{run:?}");
    }
    assert_eq!(level(&configured("levels:\n  missing-timeout: off\n", PROVED, "")), None);
}

#[test]
fn a_family_has_the_level_that_is_configured() {
    assert_eq!(level(&configured("levels:\n  reliable-network: info\n", PROVED, "")), Some("info"));
    assert_eq!(level(&configured("levels:\n  reliable-network: off\n", PROVED, "")), None);
    assert_eq!(level(&configured("levels:\n  zero-latency: off\n", PROVED, "")), Some("error"));
}

#[test]
fn a_rule_beats_its_family_in_either_order() {
    for rules in ["missing-timeout: info\n  reliable-network: off", "reliable-network: off\n  missing-timeout: info"] {
        assert_eq!(level(&configured(&format!("levels:\n  {rules}\n"), PROVED, "")), Some("info"));
    }
}

#[test]
fn what_is_off_is_counted_in_the_last_line() {
    for rules in ["missing-timeout", "reliable-network"] {
        let run = configured(&format!("levels:\n  {rules}: off\n"), PROVED, "-f human -q");
        assert!(run.flat().contains("hidden: 1 by configuration"), "{run:?}");
    }
    let run = configured("unstated: off\n", UNSTATED, "-f human -q");
    assert!(run.flat().contains("hidden: 1 by configuration"), "{run:?}");
}

#[test]
fn what_is_unstated_is_a_warning_unless_the_configuration_says_otherwise() {
    assert_eq!(level(&check(UNSTATED, "")), Some("warn"));
    for (unstated, found) in [("error", Some("error")), ("warn", Some("warn")), ("info", Some("info")), ("off", None)] {
        let run = configured(&format!("unstated: {unstated}\n"), UNSTATED, "");
        assert_eq!(level(&run), found, "{run:?}");
        assert_eq!(level(&configured(&format!("unstated: {unstated}\n"), PROVED, "")), Some("error"));
    }
}

#[test]
fn unstated_is_a_cap_and_raises_no_rule() {
    let run = configured("unstated: error\nlevels:\n  missing-timeout: info\n", UNSTATED, "");
    assert_eq!(level(&run), Some("info"), "{run:?}");
    assert_eq!(level(&configured("levels:\n  missing-timeout: error\n", UNSTATED, "")), Some("warn"));
}

#[test]
fn strict_makes_errors_of_what_is_unstated() {
    let run = check(UNSTATED, "--strict");
    assert_eq!((run.code, level(&run)), (Some(1), Some("error")));
    assert_eq!(level(&configured("unstated: off\n", UNSTATED, "--strict")), Some("error"), "the flag is stronger");
    assert_eq!(level(&configured("levels:\n  missing-timeout: off\n", UNSTATED, "--strict")), None, "off stays off");
}

#[test]
fn isolated_reads_no_configuration() {
    assert_eq!(level(&configured("unstated: off\n", UNSTATED, "--isolated")), Some("warn"));
    assert_eq!(level(&configured("\tbroken", UNSTATED, "--isolated")), Some("warn"));
}

#[test]
fn a_configuration_that_is_named_replaces_the_nearest() {
    let folder =
        Folder::of(UNSTATED).with("topolint.yaml", "unstated: off\n").with("ci/strict.yaml", "unstated: error\n");
    assert_eq!(level(&folder.run("check -c ci/strict.yaml")), Some("error"));
    assert_eq!(level(&folder.with("topolint.yaml", "\tbroken").run("check -c ci/strict.yaml")), Some("error"));
}

#[test]
fn the_configuration_of_the_project_root_counts_in_a_sub_folder() {
    let folder = Folder::new().with("topolint.yaml", "unstated: error\n").with("parts/deep/a.topo", UNSTATED);
    for arguments in ["check", "check parts", "check parts/deep/a.topo"] {
        assert_eq!(level(&folder.run(arguments)), Some("error"), "{arguments}");
    }
    let mut below = folder.command("check a.topo");
    assert_eq!(level(&Run::of(below.current_dir(folder.path("parts/deep")))), Some("error"));
}

#[test]
fn a_configuration_above_the_repository_does_not_count() {
    let folder = Folder::of(UNSTATED).with("../topolint.yaml", "unstated: error\n");
    assert_eq!(level(&folder.run("check")), Some("warn"));
}

#[test]
fn the_nearest_configuration_counts_alone() {
    let folder = Folder::new().with("topolint.yaml", "levels:\n  missing-timeout: off\n");
    let folder = folder.with("parts/topolint.yaml", "unstated: error\n").with("parts/a.topo", UNSTATED);
    assert_eq!(level(&folder.run("check parts")), Some("error"), "nothing is merged");
}

// ----------------------------------------------------------------------------------------- Suppressions in text

/// The missing timeout of `shop` is silenced, and counted.
fn assert_silenced(text: &str, arguments: &str) {
    let run = check(text, arguments);
    assert_eq!(run.of_rule("missing-timeout"), [""; 0], "{run:?}");
    assert!(!run.out.contains("[unused-allow]"), "{run:?}");
    let human = check(text, &format!("{arguments} -f human -q"));
    assert!(human.flat().contains("hidden: 1 by `allow`"), "{human:?}");
}

/// The missing timeout is still reported, beside what is wrong with the suppression, on its line.
fn assert_not_silenced(text: &str, arguments: &str, rule: &str, words: &str) {
    let run = check(text, arguments);
    assert_eq!(run.of_rule("missing-timeout").len(), 1, "{run:?}");
    let said = run.of_rule(rule);
    assert_eq!(said.len(), 1, "{run:?}");
    assert!(said[0].contains(" warn[") && said[0].contains(words), "{run:?}");
}

fn allowing(allow: &str) -> String {
    format!("client web\nservice shop\nweb -> shop {{ {allow} }}\n")
}

#[test]
fn a_suppression_with_a_reason_silences_and_is_counted() {
    assert_silenced(&allowing("allow missing-timeout \"a batch job\""), "");
}

#[test]
fn a_suppression_without_a_reason_silences_nothing() {
    for allow in ["allow missing-timeout", "allow missing-timeout \"\"", "allow missing-timeout \" \""] {
        assert_not_silenced(&allowing(allow), "", "allow-without-reason", "`allow missing-timeout`");
    }
}

#[test]
fn a_suppression_past_its_day_silences_nothing() {
    let text = allowing("allow missing-timeout \"a batch job\" until 2027-03-31");
    assert_not_silenced(&text, "--today 2027-04-01", "expired-allow", "2027-03-31");
}

#[test]
fn a_suppression_still_silences_on_its_last_day() {
    let text = allowing("allow missing-timeout \"a batch job\" until 2027-03-31");
    assert_silenced(&text, "--today 2027-03-31");
    assert_silenced(&text, "--today 2027-03-30");
}

#[test]
fn a_suppression_that_silences_nothing_is_found() {
    let run = check(allowing("timeout 1s; allow missing-timeout \"a batch job\""), "");
    assert_eq!(run.rules(), ["unused-allow"], "{run:?}");
    assert!(run.out.starts_with("a.topo:3:27: warn"), "{run:?}");
}

#[test]
fn a_suppression_of_a_rule_that_is_off_is_not_unused() {
    for allowed in ["missing-timeout", "reliable-network"] {
        let text = allowing(&format!("allow {allowed} \"a batch job\""));
        for off in ["levels:\n  missing-timeout: off\n", "levels:\n  reliable-network: off\n", "unstated: off\n"] {
            let run = configured(off, &text, "");
            assert_eq!(run.out, "", "allow {allowed} with {off}");
        }
    }
}

#[test]
fn a_suppression_of_an_unknown_rule_asks_what_was_meant() {
    let text = allowing("allow missing-timeot \"a batch job\"");
    assert_not_silenced(&text, "", "unknown-rule", "`missing-timeot`");
    let human = check(&text, "-f human");
    assert!(human.flat().contains("did you mean `missing-timeout`?"), "{human:?}");
}

#[test]
fn a_suppression_may_name_a_family() {
    assert_silenced(&allowing("allow reliable-network \"a batch job\""), "");
}

#[test]
fn a_suppression_covers_the_element_that_it_stands_on() {
    let allow = "allow missing-timeout \"a batch job\"";
    let rest = "client web\nstore db\nweb -> shop.buy { timeout 1s }\n";
    let places = [
        ("call", format!("service shop {{ operation buy {{ -> db.read {{ {allow} }} }} }}")),
        ("operation", format!("service shop {{ operation buy {{ {allow}; -> db.read }} }}")),
        ("operation, from afar", format!("service shop {{ operation buy {{ {allow} }} }}\nshop.buy -> db.read")),
        ("node", format!("service shop {{ {allow}; operation buy {{ -> db.read }} }}")),
        ("node, from afar", format!("service shop {{ {allow}; operation buy }}\nshop.buy -> db.read")),
        ("group", format!("group g {{ {allow}; service shop {{ operation buy {{ -> db.read }} }} }}")),
        ("group, from afar", format!("group g {{ {allow}; service shop {{ operation buy }} }}\nshop.buy -> db.read")),
        (
            "outer group",
            format!("group g {{ {allow}; group h {{ service shop {{ operation buy {{ -> db.read }} }} }} }}"),
        ),
        ("file", format!("{allow}\nservice shop {{ operation buy {{ -> db.read }} }}")),
        ("topology", format!("topology t {{ {allow} }}\nservice shop {{ operation buy {{ -> db.read }} }}")),
    ];
    for (place, text) in places {
        println!("{place}");
        assert_silenced(&format!("{text}\n{rest}"), "");
    }
}

#[test]
fn a_suppression_covers_nothing_beside_its_element() {
    let allow = "allow missing-timeout \"a batch job\"";
    let rest =
        "client web\nstore db\nservice shop {\n  operation buy { -> db.read }\n}\nweb -> shop.buy { timeout 1s }\n";
    for other in ["service other", "group g", "operation other"] {
        let text = match other {
            "operation other" => rest.replace("{\n", &format!("{{\n  {other} {{ {allow} }}\n")),
            _ => format!("{other} {{ {allow} }}\n{rest}"),
        };
        assert_not_silenced(&text, "", "unused-allow", "`missing-timeout`");
    }
}

#[test]
fn a_suppression_on_one_call_says_nothing_of_the_next_between_the_same_two() {
    let call = "web -> shop { allow missing-timeout \"a batch job\" }\n";
    for calls in [format!("{call}web -> shop\n"), format!("web -> shop\n{call}")] {
        let run = check(format!("client web\nservice shop\n{calls}"), "");
        assert_eq!(run.of_rule("missing-timeout").len(), 1, "{calls}{run:?}");
    }
}

#[test]
fn a_suppression_in_a_file_covers_that_file_only() {
    let folder = Folder::of("include \"b.topo\"\nallow missing-timeout \"a batch job\"\nclient web\nweb -> shop\n");
    let run = folder.with("b.topo", "service shop\nservice stock\nshop -> stock\n").run("check a.topo");
    let found = run.of_rule("missing-timeout");
    assert!(found.len() == 1 && found[0].starts_with("b.topo:3:1:"), "{run:?}");
}

#[test]
fn a_suppression_in_the_topology_covers_every_file() {
    let folder = Folder::of("topology t { allow missing-timeout \"a batch job\" }\ninclude \"b.topo\"\nclient web\n");
    let run = folder.with("b.topo", "service shop\nservice stock\nweb -> shop\nshop -> stock\n").run("check a.topo");
    assert_eq!(run.of_rule("missing-timeout"), [""; 0], "{run:?}");
}

#[test]
fn the_innermost_of_two_suppressions_is_the_one_that_is_used() {
    let text =
        "allow missing-timeout \"all\"\nclient web\nservice shop\nweb -> shop { allow missing-timeout \"one\" }\n";
    let run = check(text, "");
    assert_eq!(run.rules(), ["unused-allow"], "{run:?}");
    assert!(run.out.starts_with("a.topo:1:1:"), "{run:?}");
}

#[test]
fn a_suppression_on_several_nodes_is_used_if_one_of_them_needs_it() {
    let text =
        "client web\nservice shop, later { allow unreachable-node \"comes in May\" }\nweb -> shop { timeout 1s }\n";
    assert_eq!(check(text, "").out, "");
}

// ------------------------------------------------------------------------------------------- Hostile input

/// One hostile run at a time, so that each has the machine for itself.
static ALONE: Mutex<()> = Mutex::new(());

fn survives(folder: &Folder, arguments: &str) -> Run {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let run = folder.run(arguments);
    assert!(!run.err.contains("has a bug") && !run.err.contains("overflow"), "{run:?}");
    assert_eq!(run.code, Some(1), "within {LIMIT:?}: {run:?}");
    run
}

/// In both formats; what the concise one says.
fn survives_all(text: impl AsRef<[u8]>) -> Run {
    let folder = Folder::of(text);
    survives(&folder, "check a.topo -f human");
    survives(&folder, "check a.topo -f concise")
}

#[test]
fn a_hundred_thousand_open_braces_are_survived() {
    assert_eq!(survives_all("{".repeat(100_000)).rules(), ["syntax"]);
    assert_eq!(survives_all("{\n".repeat(100_000)).rules(), ["syntax"]);
    survives_all("service a {".repeat(100_000));
}

#[test]
fn a_hundred_thousand_closing_braces_are_survived() {
    for text in ["}".repeat(100_000), "}\n".repeat(100_000), format!("{UNKNOWN}{}", "}".repeat(100_000))] {
        let run = survives_all(text);
        assert!(run.of_rule("syntax").len() <= 250, "{} findings", run.of_rule("syntax").len());
    }
}

#[test]
fn blocks_may_nest_64_deep_and_no_deeper() {
    let nested = |depth: usize| {
        let groups: String = (0..depth).map(|number| format!("group g{number} {{ ")).collect();
        format!("client web\n{groups}{}\nservice shop\nweb -> shop {{ timeout 1s }}\nbogus\n", "}".repeat(depth))
    };
    assert_eq!(check(nested(64), "").rules(), ["unknown-attribute"]);
    let run = survives_all(nested(65));
    assert_eq!(run.rules(), ["syntax", "unknown-attribute"], "one diagnostic, and the rest is checked");
    assert!(run.out.starts_with("a.topo:2:"), "{run:?}");
}

#[test]
fn a_file_that_is_included_has_a_largest_size() {
    let folder = Folder::of("include \"b.topo\"\n").with("b.topo", "#".repeat(1000));
    let run = folder.run("check a.topo --max-file-size 100");
    assert_eq!((run.code, run.rules()), (Some(1), vec!["broken-include"]), "{run:?}");
    assert!(run.out.contains("`b.topo` has 1000 bytes"), "{run:?}");
}

#[test]
fn bytes_that_are_not_utf8_are_one_finding_with_their_offset() {
    let start = "client web\nservice shop \"";
    for bad in ["\u{fffd}", "\u{fffd}\u{fffd} and \u{fffd}"] {
        let text: Vec<u8> = format!("{start}{bad}\"\nweb -> shop {{ timeout 1s }}\n")
            .chars()
            .flat_map(|c| if c == '\u{fffd}' { vec![0xff] } else { c.to_string().into_bytes() })
            .collect();
        let run = survives_all(text);
        assert_eq!(run.rules(), ["syntax"], "{run:?}");
        assert!(run.out.contains(&format!("offset {}", start.len())), "{run:?}");
        assert!(run.out.starts_with("a.topo:2:15:"), "{run:?}");
    }
}

#[test]
fn bytes_that_are_not_utf8_outside_of_a_label_are_one_finding_too() {
    let run = survives_all(b"client web\nservice shop \xff\xfe\nweb -> shop { timeout 1s }\n");
    assert_eq!(run.rules(), ["syntax"], "{run:?}");
    assert!(run.out.contains("offset 24"), "{run:?}");
}

#[test]
fn a_file_in_utf16_is_survived() {
    let text: Vec<u8> = [0xff, 0xfe].into_iter().chain(CLEAN.bytes().flat_map(|byte| [byte, 0])).collect();
    assert!(survives_all(text).rules().contains(&"syntax"));
}

#[test]
fn nul_bytes_are_survived() {
    let run = survives_all("client web\0\nservice shop\0 \"a\0b\"\nweb -> shop { timeout 1s }\n\0\n");
    assert!(!run.out.contains('\0'), "{run:?}");
    survives_all("\0".repeat(100_000));
}

/// Everything that a terminal obeys, or that reorders what is read.
fn is_harmful(character: char) -> bool {
    let directs = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    (character.is_control() && character != '\n') || directs.contains(character)
}

#[test]
fn what_a_terminal_obeys_never_reaches_standard_output() {
    for harm in
        ["\u{1b}[31m", "\u{1b}]0;title\u{7}", "\u{9b}2J", "\u{8}\u{8}", "\r", "\u{202e}", "\u{2066}\u{200f}", "\u{7f}"]
    {
        let text = format!(
            "topology \"{harm}\" \"{harm}\"\nclient web \"{harm}\"\nservice shop \"{harm}\" {{ owner \"{harm}\"; deadline {harm} }}\n\
            web -> shop \"{harm}\" {{ link \"{harm}\"; fallback \"{harm}\" }}\n{harm} junk {harm}\nweb -> {harm}\nbogus \"{harm}\"\n\
            include \"{harm}.topo\"\nallow \"{harm}\" \"{harm}\"\nallow missing-timeout \"{harm}\" until {harm}\ngroup {harm} {{\n"
        );
        let folder = Folder::of(&text);
        for arguments in
            ["check -f concise", "check -f human", "explain --where web->shop.link", "explain --where shop.owner"]
        {
            let run = folder.run(arguments);
            assert!(!run.out.contains(is_harmful) && !run.err.contains(is_harmful), "{harm:?} in {arguments}: {run:?}");
        }
    }
}

#[test]
fn a_broken_configuration_obeys_no_terminal_either() {
    for text in
        ["\"\u{1b}[31m\": off\n", "levels:\n  \u{202e}x: off\n", "levels:\n  sync-cycle: \"\\e[31m\"\n", "\u{9b}: 1\n"]
    {
        let run = configured(text, CLEAN, "");
        assert!(run.code == Some(2) && !run.err.contains(is_harmful), "{text:?}: {run:?}");
    }
}

#[test]
fn a_label_on_a_line_of_5_megabytes_is_survived() {
    let run = survives_all(format!("{UNKNOWN}service stock \"{}\"\n", "x".repeat(5_000_000)));
    assert_eq!(run.rules(), ["unknown-name", "unreachable-node"], "{run:?}");
}

#[test]
fn a_word_of_5_megabytes_is_survived_and_not_repeated() {
    let run = survives_all(format!("{CLEAN}{}\n", "x".repeat(5_000_000)));
    assert!(run.out.len() < 10_000, "{} bytes of report", run.out.len());
}

#[test]
fn fifty_thousand_calls_on_a_line_of_5_megabytes_are_survived() {
    let call = format!("web -> nope \"{}\"; ", "x".repeat(83));
    let run = survives(&Folder::of(format!("{CLEAN}{}\n", call.repeat(50_000))), "check");
    assert_eq!(run.of_rule("unknown-name").len(), 50_000);
}

#[test]
fn twenty_thousand_nodes_of_the_same_name_are_survived() {
    let folder = Folder::of(format!("{CLEAN}{}", "service shop\n".repeat(20_000)));
    assert_eq!(survives(&folder, "check").of_rule("duplicate-name").len(), 20_000);
}

#[test]
fn twenty_thousand_nodes_of_the_same_name_are_survived_in_human_format() {
    survives(&Folder::of(format!("{CLEAN}{}", "service shop\n".repeat(20_000))), "check -f human");
}

fn unknown_names() -> Folder {
    let calls: String = (0..50_000).map(|number| format!("web -> nope{number} {{ timeout 1s }}\n")).collect();
    Folder::of(format!("{CLEAN}{calls}"))
}

#[test]
fn fifty_thousand_unknown_names_are_survived() {
    assert_eq!(survives(&unknown_names(), "check").of_rule("unknown-name").len(), 50_000);
}

#[test]
fn fifty_thousand_unknown_names_are_survived_in_human_format() {
    survives(&unknown_names(), "check -f human");
}

#[test]
fn fifty_thousand_unknown_words_are_survived() {
    let words: String = (0..50_000).map(|number| format!("timeout{number} 1s\n")).collect();
    survives(&Folder::of(format!("client web {{\n{words}}}\n")), "check");
}

/// Values that no number holds, each in a call that is bounded otherwise.
const OVERFLOWING: [&str; 12] = [
    "timeout 99999999999999999999d",
    "timeout 18446744073709551616ns",
    "timeout 1e300s",
    "timeout 1e-300s",
    "timeout -1s",
    "timeout NaN",
    "timeout inf",
    "timeout 1s; times 999999999999999999999",
    "timeout 1s; retries 99999999999999999999",
    "timeout 1s; backoff exponential 1s..99999999999999999999d",
    "timeout 1s; chance 1e400%",
    "timeout 1s; request 99999999999999999999TB",
];

#[test]
fn a_number_that_overflows_is_found_at_its_place() {
    for value in OVERFLOWING {
        let text =
            format!("client web\nservice shop, stock\nweb -> shop {{ timeout 1s }}\nshop -> stock {{ {value} }}\n");
        let run = survives_all(text);
        let is_meant = |line: &&str| line.starts_with("a.topo:4:") && line.contains(" error[wrong-");
        assert_eq!(run.out.lines().filter(is_meant).count(), 1, "{value}: {run:?}");
    }
}

#[test]
fn a_value_that_cannot_be_read_is_not_taken_for_unstated() {
    for value in OVERFLOWING {
        let text = format!(
            "client web\nservice shop, stock {{ readonly }}\nweb -> shop {{ timeout 9s }}\nshop -> stock {{ {value} }}\n"
        );
        let run = check(text, "");
        assert_eq!(run.out.lines().count(), 1, "one bad statement costs one diagnostic: {value}: {run:?}");
        assert!(!run.out.contains("no timeout is stated"), "{run:?}");
    }
}

#[test]
fn no_arithmetic_is_shown_that_does_not_add_up() {
    let text = "client web\nservice shop, stock { readonly }\nweb -> shop { timeout 1s }\n\
        shop -> stock { timeout 1s; retries 1_000_000_000_000; backoff none }\n";
    let run = check(text, "-f human -q");
    assert!(!run.flat().contains("1000000000001 × 1 s = 18446744073"), "{run:?}");
}

// -------------------------------------------------------------------------------------------- A short report

#[test]
fn a_bare_diagram_of_15_nodes_takes_at_most_100_lines() {
    let text = "client browser, app\nservice gateway, shop, cart, orders, payments, stock, mail, search\n\
        store orders-db, stock-db, carts\nqueue order-events\nexternal psp\n\
        browser -> gateway\napp -> gateway\ngateway -> shop\ngateway -> cart\ngateway -> search\nshop -> stock\n\
        shop -> search\ncart -> carts\ncart -> orders\norders -> payments\norders -> stock\norders -> orders-db\n\
        orders ->> order-events\norder-events ->> mail\norder-events ->> stock\npayments -> psp\nstock -> stock-db\n\
        mail -> orders\nsearch -> stock\n";
    let run = check(text, "-f human");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""), "{run:?}");
    assert!(run.flat().contains("in 15 nodes"), "{run:?}");
    assert!(run.out.lines().count() <= 100, "{} lines: {run:?}", run.out.lines().count());
}

#[test]
fn the_report_of_online_boutique_takes_at_most_100_lines() {
    let lines = check(example("online-boutique"), "-f human").out.lines().count();
    assert!(lines <= 100, "{lines} lines");
}
