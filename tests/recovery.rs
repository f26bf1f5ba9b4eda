//! Broken input is data: one mistake costs one diagnostic, at its place, and everything around it stays checked.
//!
//! A text says what it expects: `# want: rule, rule` at the end of a line is cut off before the text is linted, and
//! the findings on that line must be these; `any` is one finding of whatever rule. Lines without it must have none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::Texts;
use topolint::diagnostic::{Diagnostic, Fix};
use topolint::source::SourceMap;

/// What is reported of a text, as `line rule`, sorted.
fn by_line(text: &str) -> Vec<String> {
    by_place(text).iter().map(|said| said.replacen(said.split(' ').next().unwrap(), line_of(said), 1)).collect()
}

fn line_of(said: &str) -> &str {
    said.split([':', ' ']).next().unwrap()
}

/// What is reported of a text, as `line:column rule`, in written order.
fn by_place(text: &str) -> Vec<String> {
    support::lint(&Texts::one(text), |loader, outcome| {
        support::assert_all_in_text(loader, outcome);
        support::reports(&loader.sources, outcome);
        let mut said: Vec<_> = outcome
            .shown()
            .map(|finding| (loader.sources.position(finding.diagnostic.primary.span), finding.rule.name))
            .collect();
        said.sort_unstable();
        said.iter().map(|(at, rule)| format!("{}:{} {rule}", at.line, at.column)).collect()
    })
}

/// The report, one line a finding.
fn report(text: &str) -> String {
    support::lint(&Texts::one(text), |loader, outcome| topolint::report::concise(&loader.sources, outcome))
}

/// A text without its expectations, and these as `line rule`.
fn unmark(marked: &str) -> (String, Vec<String>) {
    let (mut text, mut wanted) = (String::new(), Vec::new());
    for (number, line) in (1..).zip(marked.lines()) {
        let (code, rules) = line.split_once("# want: ").unwrap_or((line, ""));
        wanted.extend(rules.split(", ").filter(|rule| !rule.is_empty()).map(|rule| format!("{number} {rule}")));
        text.push_str(code.trim_end());
        text.push('\n');
    }
    (text, wanted)
}

/// Fails unless exactly the expected findings are reported.
#[track_caller]
fn check(marked: &str) {
    let (text, mut wanted) = unmark(marked);
    let any = |said: String| {
        if wanted.contains(&format!("{} any", line_of(&said))) { format!("{} any", line_of(&said)) } else { said }
    };
    let mut said: Vec<String> = by_line(&text).into_iter().map(any).collect();
    said.sort();
    wanted.sort();
    assert_eq!(said, wanted, "\n{text}\n{}", report(&text));
}

/// Fails unless exactly these are reported, as `line:column rule`.
#[track_caller]
fn check_places(text: &str, wanted: &[&str]) {
    assert_eq!(by_place(text), wanted, "\n{text}\n{}", report(text));
}

/// A mistake in a line of its own, between declarations and calls that are sound and have findings of their own.
fn among_sound(line: &str) -> String {
    format!(
        "client web; service shop, orders, payments, audit; store orders-db; queue events\n\
         web -> shop {{ timeout 100ms }} # want: timeout-inversion\n\
         shop -> orders {{ timeout 1s }}\n\
         {line}\n\
         audit -> orders-db {{ timeout none }} # want: missing-timeout\n\
         payments ->> events\n"
    )
}

/// A text with a fix in it.
fn applied(sources: &SourceMap, text: &str, fix: &Fix) -> String {
    let mut edits = fix.edits.clone();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        support::assert_in_text(sources, edit.span, &fix.title);
        text.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
    }
    text
}

mod seven_mistakes_on_seven_lines_are_seven_diagnostics {
    use super::check;

    #[test]
    fn in_the_words_of_other_languages() {
        check(
            r"
// the shop                                            # want: syntax
client web; service shop, orders, payments, mail; store orders-db
web -> shop { timeout 100ms }                          # want: timeout-inversion
shop => orders { timeout 2s }                          # want: syntax
payments <- orders { timeout 900ms }                   # want: syntax
orders -> orders-db { timeout: 50ms }                  # want: syntax
payments -> orders-db { timeout = 50ms }               # want: syntax
orders -> mail { timeout 50ms, retries 2; backoff fixed 1ms } # want: syntax
web -> shop -> mail                                    # want: syntax
mail -> orders-db { timeout 30ms; idempotent none }    # want: repeated-effect
",
        );
    }

    #[test]
    fn in_the_words_of_topo_wrongly_used() {
        check(
            r"
client web; service shop, orders, payments; store orders-db
queue orders                                           # want: duplicate-name
web -> shop {
  timeout 3                                            # want: wrong-unit
  timeuot 3s                                           # want: unknown-attribute
}
web -> shpo { timeout 1s }                             # want: unknown-name
shop -> orders {
  timeout 1s
  timeout 2s                                           # want: duplicate-attribute
  replicas 3                                           # want: misplaced-attribute
  via sqs                                              # want: misplaced-attribute
  backoff sometimes                                    # want: wrong-value
}
payments -> orders-db { timeout none }                 # want: missing-timeout
orders -> orders-db { timeout 100ms }
",
        );
    }

    #[test]
    fn in_words_that_are_none() {
        check(
            r#"
client web; service shop, orders, payments; store orders-db
store archive "Archive                                 # want: syntax, unreachable-node
web -> shop { timeout 100ms }                          # want: timeout-inversion
%% shop calls orders                                   # want: syntax
shop -> orders { timeout 1s }
}                                                      # want: syntax
{ owner nobody }                                       # want: syntax
orders ->                                              # want: syntax
orders -- payments                                     # want: syntax
orders -> orders-db [timeout=1s]                       # want: syntax
payments -> orders-db { timeout none }                 # want: missing-timeout
"#,
        );
    }

    #[test]
    fn inside_one_block() {
        check(
            r"
client web
service shop {
  owner: shop-team                                     # want: syntax
  replicas three                                       # want: wrong-value
  // two zones would be better                         # want: syntax
  zones a,                                             # want: syntax
  timeout 1s                                           # want: misplaced-attribute
  regoin eu                                            # want: unknown-attribute
  => orders                                            # want: syntax, missing-timeout
  -> orders { timeout none }                           # want: missing-timeout
}
service orders
web ->> shop
",
        );
    }

    #[test]
    fn inside_operations_and_groups() {
        check(
            r"
client web
group platform {
  service shop {
    operation buy {
      deadline 2                                       # want: wrong-unit
      -> { orders.place, orders.cancel }               # want: syntax
      -> orders.plcae { timeout 1s }                   # want: unknown-name
      -> orders.place { timeout 1s; key maybe }        # want: wrong-value
    }
    operation buy                                      # want: duplicate-name
  }
  service orders {
    operation place { idempotent }
    operation cancel { timeout 1s }                    # want: misplaced-attribute
    ???                                                # want: syntax
  }
  orders.cancel -> shop.buy { timeout none }           # want: missing-timeout
}
web -> shop.buy { timeout 5s }
web ->> orders.cancel
",
        );
    }
}

mod foreign_forms {
    use super::*;

    /// Fails unless a form gives one diagnostic at `place` with a fix that gives `mended`, which can be read.
    #[track_caller]
    fn is_mended(before: &str, form: &str, place: &str, mended: &str, after: &str) {
        let text = format!("{before}{form}{after}");
        let (said, applied) = support::lint(&Texts::one(text.as_str()), |loader, outcome| {
            let found = outcome
                .shown()
                .filter(|finding| finding.rule.family == "model" && finding.rule.name != "unreachable-node");
            let found: Vec<&Diagnostic> = found.map(|finding| &*finding.diagnostic).collect();
            let [one] = found.as_slice() else {
                panic!("`{form}` gives {} diagnostics\n{}", found.len(), report(&text))
            };
            let fix = one.fix.as_ref().unwrap_or_else(|| panic!("`{form}` has no fix\n{}", report(&text)));
            (loader.sources.text(one.primary.span).to_owned(), applied(&loader.sources, &text, fix))
        });
        assert_eq!(said.trim(), place, "the place in `{form}`");
        assert_eq!(applied, format!("{before}{mended}{after}"), "what the fix of `{form}` gives");
        assert!(!report(&applied).contains("[syntax]"), "{applied}\n{}", report(&applied));
    }

    #[track_caller]
    fn call(form: &str, place: &str, mended: &str) {
        is_mended("service a, b, c; store d\n", form, place, mended, "\na -> d { timeout 1s }\nb ->> c\n");
    }

    #[track_caller]
    fn attribute(form: &str, place: &str, mended: &str) {
        is_mended("service a, b\na -> b { ", form, place, mended, " }\n");
    }

    #[test]
    fn an_arrow_that_points_back_is_turned() {
        call("a <- b", "<-", "b -> a");
        call("a<-b", "<-", "b -> a");
        call("a <- b \"label\" { timeout 1s }", "<-", "b -> a \"label\" { timeout 1s }");
    }

    #[test]
    fn an_arrow_with_two_heads_is_two_calls() {
        call("a <-> b", "<->", "a -> b; b -> a");
    }

    #[test]
    fn a_line_gets_a_head() {
        call("a -- b", "--", "a -> b");
        call("a -- b \"label\"", "--", "a -> b \"label\"");
    }

    #[test]
    fn a_long_or_fat_arrow_is_an_arrow() {
        call("a --> b", "-->", "a -> b");
        call("a-->b", "-->", "a->b");
        call("a => b { timeout 1s }", "=>", "a -> b { timeout 1s }");
        call("a -->> b", "-->>", "a ->> b");
    }

    #[test]
    fn a_chain_is_one_call_a_link() {
        call("a -> b -> c", "-> c", "a -> b; b -> c");
        call("a->b->c", "->c", "a -> b; b -> c");
        call("a -> b -> c -> d { timeout 1s }", "-> c -> d", "a -> b; b -> c; c -> d { timeout 1s }");
    }

    #[test]
    fn a_chain_that_nobody_waits_for_stays_one() {
        call("a ->> b ->> c", "->> c", "a ->> b; b ->> c");
        call("a -> b ->> c", "->> c", "a -> b; b ->> c");
        call("a ->> b -> c", "-> c", "a ->> b; b -> c");
    }

    #[test]
    fn a_chain_of_foreign_arrows_is_one_mistake() {
        call("a --> b --> c", "--> c", "a -> b; b -> c");
        call("a => b => c", "=> c", "a -> b; b -> c");
    }

    #[test]
    fn a_chain_may_end_in_a_label() {
        call("a -> b -> c \"label\"", "-> c \"label\"", "a -> b; b -> c \"label\"");
    }

    #[test]
    fn several_targets_are_several_calls() {
        call("a ->> { b; c }", "a ->> { b; c }", "a ->> b; a ->> c");
        call("a -> {\n  b\n  c\n}", "a -> {\n  b\n  c\n}", "a -> b; a -> c");
        call("a -> {b}", "a -> {b}", "a -> b");
    }

    #[test]
    fn several_targets_with_commas_are_several_calls() {
        call("a -> { b, c }", "a -> { b, c }", "a -> b; a -> c");
        call("a -> { b, c, d }", "a -> { b, c, d }", "a -> b; a -> c; a -> d");
    }

    #[test]
    fn forms_in_a_body_start_at_its_element() {
        let body = |form: &str, place: &str, mended: &str| {
            is_mended("service a {\n  operation x {\n    ", form, place, mended, "\n  }\n}\nservice b, c\n");
        };
        body("=> b", "=>", "-> b");
        body("-> { b; c }", "-> { b; c }", "-> b; -> c");
        body("-> b -> c", "-> c", "-> b; b -> c");
    }

    #[test]
    fn a_separator_goes() {
        attribute("timeout: 1s", ":", "timeout  1s");
        attribute("timeout:1s", ":", "timeout 1s");
        attribute("timeout = 1s", "=", "timeout   1s");
        attribute("timeout=1s", "=", "timeout 1s");
        attribute("timeout := 1s", ":=", "timeout   1s");
    }

    #[test]
    fn a_comma_between_attributes_is_a_semicolon() {
        attribute("timeout 1s, retries 2", ",", "timeout 1s; retries 2");
        attribute("timeout 1s,retries 2,breaker", ",", "timeout 1s; retries 2; breaker");
        attribute("retries 2, breaker { reset 5s }", ",", "retries 2; breaker { reset 5s }");
    }

    #[test]
    fn a_comma_behind_an_attribute_without_a_value_is_a_semicolon() {
        attribute("breaker, timeout 1s", ",", "breaker; timeout 1s");
    }

    #[test]
    fn a_comma_between_a_list_and_a_word_that_is_no_value_of_it_is_a_semicolon() {
        let (form, mended) = ("latency p99 1s, availability 99.9%", "latency p99 1s; availability 99.9%");
        is_mended("service a { slo { ", form, ",", mended, " } }\n");
    }

    #[test]
    fn a_comma_at_the_end_of_a_line_goes() {
        attribute("timeout 1s,\n  retries 2", ",", "timeout 1s\n  retries 2");
    }

    #[test]
    fn a_comment_starts_with_a_hash() {
        call("// why", "//", "# why");
        call("a -> b // why", "//", "a -> b # why");
        call("a -> b { // why\n}", "//", "a -> b { # why\n}");
        attribute("timeout 1s // why\n ", "//", "timeout 1s # why\n ");
    }

    #[test]
    fn a_foreign_comment_between_a_statement_and_its_block_is_one_mistake() {
        call("a -> b // why\n{ timeout 1s }", "//", "a -> b # why\n{ timeout 1s }");
    }
}

mod missing_braces {
    use super::{Texts, applied, check, check_places, report, support};

    #[test]
    fn at_the_end() {
        check(
            "service shop {                             # want: syntax, unreachable-node
               owner shop-team
               timeuot 1s                               # want: unknown-attribute
",
        );
    }

    #[test]
    fn in_the_middle() {
        check(
            "
client web
service shop {                                          # want: syntax
  owner shop-team
  -> orders { timeout none }                            # want: missing-timeout
service orders {
  timeuot 1s                                            # want: unknown-attribute
}
web -> shop                                             # want: missing-timeout
",
        );
    }

    #[test]
    fn two_of_them() {
        check(
            "
client web
group platform {                                        # want: syntax
  service shop {                                        # want: syntax
    -> orders { timeout none }                          # want: missing-timeout
service orders {
  replicas three                                        # want: wrong-value
}
web ->> shop
",
        );
    }

    #[test]
    fn two_of_them_apart() {
        check(
            "
client web
service shop {                                          # want: syntax
  -> orders { timeout none }                            # want: missing-timeout
service orders {
  replicas three                                        # want: wrong-value
}
service mail {                                          # want: syntax
  owner mail-team
web ->> shop
web -> mail                                             # want: missing-timeout
",
        );
    }

    #[test]
    fn of_an_inner_block() {
        check(
            "
client web
group platform {
  service shop {                                        # want: syntax
    owner shop-team
  service orders {
    replicas three                                      # want: wrong-value
  }
  shop -> orders { timeout none }                       # want: missing-timeout
}
web ->> shop
",
        );
    }

    #[test]
    fn of_an_inner_block_at_the_end_of_the_outer() {
        check(
            "
client web
group platform {
  service shop {                                        # want: syntax
    replicas three                                      # want: wrong-value
}
web -> shop                                             # want: missing-timeout
",
        );
    }

    #[test]
    fn of_a_block_on_one_line() {
        check(
            "
client web
service shop, orders
web -> shop { timeout 100ms                             # want: timeout-inversion, syntax
shop -> orders { timeout 1s }
orders -> shpo                                          # want: unknown-name
",
        );
        check_places("service a, b\na -> b { timeout 1s; breaker { reset 5s }\n", &["2:8 syntax"]);
        check_places("service a, b\na -> b { timeout 1s; breaker { reset 5s\n", &["2:8 syntax", "2:30 syntax"]);
    }

    #[test]
    fn of_a_block_whose_brace_stands_on_a_line_of_its_own() {
        check(
            "
client web
service shop
{                                                       # want: syntax
  -> orders { timeout none }                            # want: missing-timeout
service orders
{
  replicas three                                        # want: wrong-value
}
web ->> shop
",
        );
    }

    #[test]
    fn before_a_comment() {
        check(
            "
client web
service shop {                                          # want: syntax
  -> orders { timeout none }                            # want: missing-timeout

# what shop needs
service orders
web ->> shop
",
        );
    }

    #[test]
    fn before_the_end_of_a_file_whose_last_line_does_not_end() {
        check_places("service a, b\na -> b { timeout 1s", &["2:8 syntax"]);
        check_places("service a, b\na -> b { timeout 1s # all of it", &["2:8 syntax"]);
        check_places("service a, b\na -> b { timeout 1s // all of it", &["2:8 syntax", "2:21 syntax"]);
        check_places("service a, b\na -> b { timeout 1s; link \"x", &["2:8 syntax", "2:27 syntax"]);
    }

    #[test]
    fn beside_a_stray_one() {
        check_places("}\nclient web\nservice shop {\n  owner team\nweb ->> shop\n", &["1:1 syntax", "3:14 syntax"]);
    }

    #[test]
    fn with_tabs() {
        check_places(
            "client web\nservice shop {\n\towner team\nservice orders {\n\treplicas x\n}\nweb ->> shop\nshop ->> orders\n",
            &["2:14 syntax", "5:11 wrong-value"],
        );
    }

    #[test]
    fn without_them_indentation_means_nothing() {
        check_places(
            "client web\n    service shop {\nreplicas 3\n        owner team\n  }\n  web\t-> shop { timeout 1s\n}\n",
            &[],
        );
    }

    #[test]
    fn are_put_in_by_the_fix() {
        for text in [
            "service a {\n  owner x\nservice b\na ->> b\n",
            "group g {\n  service a {\n    owner x\n}\nservice b\na ->> b\n",
            "service a, b\na ->> b { key forwarded\n",
            "service a, b\na ->> b { key forwarded",
            "service a, b\r\na ->> b {\r\n  key forwarded\r\nb ->> a\r\n",
        ] {
            check_places(&mended(text), &[]);
        }
    }

    #[test]
    fn are_not_put_into_a_comment_by_the_fix() {
        let text = "service a, b\na ->> b { key forwarded # why";
        check_places(&mended(text), &[]);
    }

    /// A text with the fix of its first finding.
    fn mended(text: &str) -> String {
        support::lint(&Texts::one(text), |loader, outcome| {
            let first = outcome.shown().next().unwrap_or_else(|| panic!("nothing is wrong with {text}"));
            let fix = first.diagnostic.fix.as_ref().unwrap_or_else(|| panic!("there is no fix for {text}"));
            applied(&loader.sources, text, fix)
        })
    }

    #[test]
    fn several_targets_in_a_block_that_is_not_closed_are_all_kept() {
        let text = "service a, bb, cc\na -> { bb, cc";
        support::lint(&Texts::one(text), |_, outcome| {
            let fixes = outcome.shown().filter_map(|finding| finding.diagnostic.fix.as_ref());
            let fix = fixes.filter(|fix| fix.title.contains("->")).map(|fix| fix.title.as_str()).next();
            assert_eq!(fix, Some("write `a -> bb; a -> cc`"), "\n{}", report(text));
        });
    }
}

mod braces {
    use super::{among_sound, check, check_places};

    #[test]
    fn a_stray_one_costs_one_diagnostic() {
        check(&among_sound("} # want: syntax"));
        check(&among_sound("shop -> payments { timeout 1s } } # want: syntax"));
        check_places("service a\n}\n}\nservice b\na -> b { timeout 1s }\n", &["2:1 syntax", "3:1 syntax"]);
    }

    #[test]
    fn an_opening_one_on_a_line_of_its_own_belongs_to_the_statement_before() {
        check(&among_sound("audit -> payments\n{ timeout none } # want: missing-timeout"));
        check(&among_sound("shop -> payments\n\n\n  {\n    timeout 1s\n  }"));
        check(&among_sound("service mail \"Mail\"\n{\n  owner mail-team\n}\nshop -> mail\n{ timeout 1s }"));
    }

    #[test]
    fn a_comment_may_stand_between_a_statement_and_its_block() {
        check(&among_sound("shop -> payments # paid at once\n{ timeout 1s }"));
        check(&among_sound("shop -> payments # paid at once {\n# or never }\n\n{ timeout 1s }"));
    }

    #[test]
    fn a_block_without_a_name_costs_one_diagnostic() {
        check(&among_sound("; { timeout 1s } # want: syntax"));
        check(&among_sound(
            "orders ->> events {};\n{ # want: syntax\n  service mail {\n    timeuot 1s\n  }\n}\nshop -> mail",
        ));
        check_places("{}", &["1:1 syntax"]);
        check_places("{ a -> b }\na -> b\n", &["1:1 syntax"]);
    }

    #[test]
    fn a_block_behind_what_cannot_be_read_belongs_to_it() {
        check(&among_sound("@deprecated mail { # want: syntax\n  timeuot 1s\n}\nshop -> mail"));
        check(&among_sound("\"mail\" { timeout 1s } # want: syntax"));
    }

    #[test]
    fn deeper_nesting_than_is_read_costs_one_diagnostic() {
        let deep = format!("group g {}service mail{}", "{ group g ".repeat(70), " }".repeat(70));
        check(&among_sound(&format!("{deep} # want: syntax\nshop -> mail")));
    }
}

mod names_in_what_could_not_be_read {
    use super::{among_sound, check};

    #[test]
    fn are_not_unknown() {
        check(&among_sound("! service mail # want: syntax\nshop -> mail.send { timeout 1s }\nmail -> shop"));
        check(&among_sound("{ service mail } # want: syntax\nshop -> mail"));
        check(&among_sound("shop -> mail -> sms # want: syntax\nshop -> sms; orders -> mail"));
        check(&among_sound("? policy quick # want: syntax\nshop -> payments { use quick; timeout 1s }"));
    }

    #[test]
    fn are_found_without_blanks_around_their_arrows() {
        check(&among_sound("! mail->sms # want: syntax\nshop -> mail; shop -> sms"));
        check(&among_sound("shop->mail->sms # want: syntax\nshop -> mail; shop -> sms"));
    }

    #[test]
    fn are_not_alone() {
        check(&among_sound("service mail, sms\n! mail -> sms # want: syntax"));
        check(&among_sound("service mail, sms\nmail <-> sms # want: syntax"));
        check(&among_sound("service mail {\n  %% # want: syntax\n}"));
        check(&among_sound("service mail {\n  operation send { -> sms -> shop } # want: syntax\n}"));
        check(&among_sound("policy quick { timeout 1s }\n! shop -> payments use quick # want: syntax"));
    }

    #[test]
    fn make_one_mistake_of_a_misspelt_declaration() {
        check(&among_sound("servce mail # want: unknown-attribute\nshop -> mail { timeout 1s }\nmail -> payments"));
        check(&among_sound("mail service # want: unknown-attribute\nshop -> mail { timeout 1s }"));
        check(&among_sound("database archive { owner team } # want: unknown-attribute\nshop -> archive.read"));
    }

    #[test]
    fn make_one_mistake_of_a_declaration_with_a_wrong_name() {
        check(&among_sound("service \"mail\" # want: wrong-value\nshop -> mail"));
    }

    #[test]
    fn make_one_mistake_of_a_misspelt_operation() {
        check(&among_sound(
            "service mail { operaton send { readonly } } # want: unknown-attribute\nshop -> mail.send { timeout 1s }",
        ));
    }

    #[test]
    fn make_one_mistake_of_a_second_declaration() {
        check(&among_sound(
            "service mail { operation send }\nservice mail { operation recall } # want: duplicate-name\n\
             shop -> mail.send { timeout 1s }; shop -> mail.recall { timeout 1s }",
        ));
    }
}

#[test]
fn a_misspelt_default_is_not_stated_twice() {
    check_places(
        "defaults { call { encryption tls } }\ndefaults { call { encrypti }",
        &["2:10 syntax", "2:19 unknown-attribute"],
    );
}

mod calls_that_are_half_read {
    use super::{among_sound, check};

    #[test]
    fn are_not_missing_what_could_not_be_read() {
        check(&among_sound("audit -> payments ( timeout 1s ) # want: syntax"));
        check(&among_sound("audit -> payments [timeout 1s] # want: syntax"));
        check(&among_sound("audit -> payments: \"label\" { timeout 1s } # want: syntax"));
        check(&among_sound("audit -> payments { %% } # want: syntax"));
        check(&among_sound("audit -> payments { (timeout 1s) } # want: syntax"));
        check(&among_sound("audit -> payments { timeout (1s) } # want: syntax"));
        check(&among_sound("audit -> payments { timeout 1 } # want: wrong-unit"));
    }

    #[test]
    fn do_not_make_their_entry_wait_for_ever() {
        check(&among_sound("shop -> payments ( timeout 1s ) # want: syntax"));
        check(&among_sound("shop -> payments { timeuot 1s } # want: unknown-attribute"));
        check(&among_sound("shop -> payments { timeout 1 } # want: wrong-unit"));
    }

    #[test]
    fn are_not_missing_what_was_misspelt() {
        check(&among_sound("audit -> payments { timeuot 1s } # want: unknown-attribute"));
        check(&among_sound("audit -> payments { time-limit 1s } # want: unknown-attribute"));
        check(&among_sound("audit -> payments { Timeout 1s } # want: unknown-attribute"));
    }

    #[test]
    fn are_not_missing_what_their_policy_may_say() {
        check(&among_sound("policy quick { timeuot 1s } # want: unknown-attribute\naudit -> payments { use quick }"));
        check(&among_sound("policy quick { ( } # want: syntax\naudit -> payments { use quick }"));
        check(&among_sound("audit -> payments { use quikc } # want: unknown-name"));
    }

    #[test]
    fn do_not_leave_a_misspelt_policy_unused() {
        check(&among_sound("policy quick { timeout 1s }\naudit ->> payments { use quikc } # want: unknown-name"));
    }

    #[test]
    fn are_not_missing_what_the_defaults_may_say() {
        check(&among_sound("defaults { call { timeuot 1s } } # want: unknown-attribute\naudit -> payments"));
        // A deadline may stand there, too: nothing is known of any call.
        check("defaults { call ( timeout 1s ) }               # want: syntax\nservice a, b\na -> b { timeout none }\n");
        check(&among_sound("defaults { cal { timeout 1s } } # want: unknown-attribute\naudit -> payments"));
        check(&among_sound("defalts { call { timeout 1s } } # want: unknown-attribute\naudit -> payments"));
    }

    #[test]
    fn are_not_read_backwards() {
        check(&among_sound("orders-db <- shop (timeout 1s) # want: syntax"));
    }

    #[test]
    fn do_not_repeat_what_may_be_idempotent() {
        check(&among_sound(
            "service mail { idempotnt } # want: unknown-attribute\nshop -> mail { timeout 1s; retries 2; backoff fixed 1ms }",
        ));
        check(&among_sound(
            "service mail { ( } # want: syntax\nshop -> mail { timeout 1s; retries 2; backoff fixed 1ms }",
        ));
    }

    #[test]
    fn stay_calls() {
        // Both are read: the first waits for less than the second may take.
        check(
            "client web; service shop, orders
web -> shop { timeout 100ms }                           # want: timeout-inversion
shop -> orders { timeout 1s; breakr }                   # want: unknown-attribute
",
        );
    }
}

mod one_bad_statement_costs_one_diagnostic {
    use super::{among_sound, check, check_places};

    #[test]
    fn a_line_of_prose() {
        check(&among_sound("the shop calls the orders # want: any"));
        check(&among_sound("the shop calls (twice, at least) the orders # want: any"));
    }

    #[test]
    fn several_callers() {
        check(&among_sound("shop, orders -> payments # want: any"));
    }

    #[test]
    fn an_arrow_of_another_language_that_is_none() {
        check(&among_sound("shop > payments # want: any"));
        check(&among_sound("shop \"label\" -> payments # want: any"));
    }

    #[test]
    fn an_include_without_quotes() {
        check(&among_sound("include payments # want: any"));
    }

    #[test]
    fn two_statements_in_one_line_without_a_separator() {
        check_places("service a, b\na ->> b { key none breaker }\n", &["2:20 wrong-value"]);
        check_places("service a, b\na ->> b { breaker { reset 5s 6s } }\n", &["2:30 wrong-value"]);
        check_places("service a \"x\" \"y\"\na ->> b; service b\n", &["1:15 wrong-value"]);
    }

    #[test]
    fn a_policy_that_an_unreadable_list_names() {
        let list = "policy quick { timeout 1s }\naudit ->> payments { use quick, timeout 1s } # want: syntax";
        check(&among_sound(list));
    }
}

mod there_are_no_keywords {
    use super::check_places;

    #[test]
    fn nodes_are_called_like_kinds() {
        check_places("service service\nclient client\nclient -> service { timeout 1s }\n", &[]);
        check_places("client client\nqueue queue\nclient -> queue { timeout 1s }\n", &[]);
        check_places("group group { service operation }\noperation ->> operation\n", &[]);
    }

    #[test]
    fn nodes_are_called_like_attributes() {
        check_places("service timeout, none\ntimeout -> none { timeout 1s }\n", &[]);
        check_places("client web\nservice use { operation use }\nweb -> use.use { timeout 1s }\n", &[]);
        check_places("client web; service parallel { -> any { timeout 1s } }; service any\nweb ->> parallel\n", &[]);
    }

    #[test]
    fn a_store_is_called_read() {
        check_places("client web\nstore read\nweb -> read.read { timeout 1s }\nweb -> read { timeout 1s }\n", &[]);
    }

    #[test]
    fn a_node_is_called_like_a_quantile() {
        check_places("client web\nservice p99\nweb -> p99 { timeout 1s }\n", &[]);
        check_places("client web; service a; store p99\nweb ->> a\na -> p99.write { timeout 1s }\n", &[]);
        check_places(
            "client web; service a { idempotent by-key { recorded-in p99; on-failure closed } }; store p99\nweb ->> a\n",
            &[],
        );
        check_places(
            "client web\nservice p99 { operation buy; operation p50 { idempotent } }\nweb -> p99.buy { timeout 1s; compensated-by p99.p50 }\n",
            &[],
        );
    }

    #[test]
    fn a_policy_a_group_and_a_topology_are_called_like_anything() {
        check_places(
            "topology topology\ngroup defaults { service a, b }\npolicy policy { timeout 1s }\na -> b { use policy }\n",
            &[],
        );
    }
}

mod small_print {
    use super::check_places;

    #[test]
    fn names_have_hyphens() {
        check_places("service a-b, c-1, _e, f_-g\na-b -> c-1 { timeout 1s }\n_e ->> f_-g\n", &[]);
    }

    #[test]
    fn arrows_need_no_blanks() {
        check_places("service a, b-c, d\na->b-c{timeout 1s}\nb-c->>d\n", &[]);
        check_places("store s;service a,b;a->s.read{timeout 1s};a->>b\"label\"", &[]);
    }

    #[test]
    fn a_place_starts_at_what_cannot_be_read_and_not_at_the_blank_before_it() {
        check_places("service a, b\na ->> b (x)\n", &["2:9 syntax"]);
        check_places("service a, b, c\na ->> b ->> c\n", &["2:9 syntax"]);
        check_places("service a { owner x (y) }\na ->> b; service b\n", &["1:21 syntax"]);
    }

    #[test]
    fn a_unit_may_stand_apart() {
        check_places(
            "service a { latency p50 4 ms, p99 20 ms }; service b\na -> b { timeout 300 ms; request 20 kB }\n",
            &[],
        );
        check_places(
            "client c; service a; store b\nc ->> a; a ->> b.read; c -> b.read { timeout 300 parsec }\n",
            &["2:46 wrong-unit"],
        );
    }

    #[test]
    fn an_empty_file_says_nothing() {
        check_places("", &[]);
        check_places("\n", &[]);
        check_places(" \t\r\n;;\n", &[]);
        check_places("\u{FEFF}", &[]);
    }

    #[test]
    fn comments_alone_say_nothing() {
        check_places("# one\n  # two {\n# three \"", &[]);
    }

    #[test]
    fn bytes_that_are_no_text_are_one_mistake() {
        let bytes = b"client web\nservice shop \xff\xfe\nweb -> shop { timeout none }\n";
        super::support::lint(&super::Texts::one(*bytes), |_, outcome| {
            let rules: Vec<_> = outcome.shown().map(|finding| finding.rule.name).collect();
            assert_eq!(rules, ["syntax", "missing-timeout"]);
        });
    }
}

mod what_editors_do_to_files {
    use super::{among_sound, by_line, by_place, report, unmark};

    /// Texts with many mistakes, each with a final newline.
    fn texts() -> Vec<String> {
        let mistakes = [
            "// why",
            "} # stray",
            "{ nameless }",
            "shop -> {\n payments, orders\n}",
            "shop <-> payments",
            "shop -> payments -> events",
            "shop -> payments { timeout: 1s,\n retries 2 }",
            "service mail \"open",
            "service mail {\n owner team",
            "%% junk",
            "shop\n->\npayments",
            "zones a,\n b",
            "shop -> payments // why\n # and why not\n{ timeout 1 }",
            "shop -> payments { fallback {\n",
            "service mail\n\n{\n",
            "link \"\\",
            "timeout 1s, retries 2, // why",
            "shop -> payments { retries 2, breaker {\n reset 5 s } }",
        ];
        mistakes.iter().map(|line| unmark(&among_sound(line)).0).collect()
    }

    #[test]
    fn line_ends_of_windows_change_no_finding() {
        for text in texts() {
            let windows = text.replace('\n', "\r\n");
            assert_eq!(by_place(&windows), by_place(&text), "\n{text}\n{}", report(&windows));
        }
    }

    #[test]
    fn a_byte_order_mark_changes_no_finding() {
        for text in texts() {
            let marked = format!("\u{FEFF}{text}");
            assert_eq!(by_line(&marked), by_line(&text), "\n{text}\n{}", report(&marked));
        }
    }

    #[test]
    fn a_byte_order_mark_may_stand_before_any_first_line() {
        for line in ["# {", "// {", "// }", "// \"", "a -> b", "%%", "}", "\"", "service a"] {
            let text = format!("{line}\nservice shop {{ replicas three }}\n");
            let (marked, plain) = (by_place(&format!("\u{FEFF}{text}")), by_place(&text));
            let lines = |places: &[String]| {
                places.iter().map(|said| said.split(':').next().map(str::to_owned)).collect::<Vec<_>>()
            };
            assert_eq!(lines(&marked), lines(&plain), "behind a byte order mark: {line:?}: {marked:?}, else {plain:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_no_column() {
        assert_eq!(by_place("\u{FEFF}%%\n"), by_place("%%\n"));
    }

    #[test]
    fn a_missing_final_newline_changes_no_finding() {
        for text in texts() {
            let lines: Vec<&str> = text.lines().collect();
            for end in 1..=lines.len() {
                let cut = lines.get(..end).unwrap_or_default().join("\n");
                let ended = format!("{cut}\n");
                assert_eq!(by_place(&cut), by_place(&ended), "\n{cut}\n--\n{}--\n{}", report(&cut), report(&ended));
            }
        }
    }
}
