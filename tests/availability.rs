//! Availability held against counting: every combination of what is up, what is down and which branch is taken, over
//! small random diagrams that are drawn here and known to no analysis. Then the golden vectors, by hand.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small numbers"
)]

mod support;

use std::fmt::Write as _;

use topolint::analysis::{Availability, Facts, Failure, Target, Verdict};

/// A small generator of numbers (xorshift), so that a seed names a diagram.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end as u64) as usize
    }
}

/// What a service does, as it is drawn.
enum Part {
    Call {
        to: usize,
        through: Option<usize>,
    },
    Dropped {
        to: usize,
    },
    Soft {
        to: usize,
        instead: Option<usize>,
    },
    Any {
        enough: usize,
        of: Vec<usize>,
    },
    /// The site, and branches with their shares in tenths.
    Split {
        site: usize,
        of: Vec<(usize, usize)>,
    },
    /// The site, and the share of requests that make the call, in tenths.
    Sometimes {
        site: usize,
        to: usize,
        tenths: usize,
    },
}

/// A diagram: service `n0` needs some of those after it.
struct Drawn {
    parts: Vec<Vec<Part>>,
    shares: Vec<Option<f64>>,
    /// The shares of the branches of each site.
    sites: Vec<Vec<f64>>,
}

impl Drawn {
    fn random(random: &mut Random) -> Self {
        let count = 3 + random.below(6);
        let mut sites: Vec<Vec<f64>> = Vec::new();
        let mut parts = Vec::new();
        for node in 0..count {
            let rest = count - node - 1;
            let mut own = Vec::new();
            for _ in 0..if rest == 0 { 0 } else { 1 + random.below(2) } {
                let mut later = || node + 1 + random.below(rest);
                let (to, other, third) = (later(), later(), later());
                own.push(match random.below(8) {
                    0 => Part::Dropped { to },
                    1 => Part::Soft { to, instead: None },
                    2 => Part::Soft { to, instead: Some(other) },
                    3 => Part::Any { enough: 1, of: vec![to, other] },
                    4 => Part::Any { enough: 2, of: vec![to, other, third] },
                    5 if sites.len() < 3 => {
                        let tenths = 1 + random.below(8);
                        sites.push(vec![tenths as f64 / 10.0, 1.0 - tenths as f64 / 10.0]);
                        Part::Split { site: sites.len() - 1, of: vec![(to, tenths), (other, 10 - tenths)] }
                    }
                    6 if sites.len() < 3 => {
                        let tenths = 1 + random.below(9);
                        sites.push(vec![tenths as f64 / 10.0, 1.0 - tenths as f64 / 10.0]);
                        Part::Sometimes { site: sites.len() - 1, to, tenths }
                    }
                    kind => Part::Call { to, through: (kind == 7).then_some(other).filter(|node| *node != to) },
                });
            }
            parts.push(own);
        }
        let some_unstated = random.below(2) == 0;
        let mut share = || (!some_unstated || random.below(4) > 0).then(|| (80 + random.below(20)) as f64 / 100.0);
        let shares = (0..count).map(|_| share()).collect();
        Self { parts, shares, sites }
    }

    fn text(&self) -> String {
        let mut text = String::from("client web { -> n0 }\n");
        for (node, parts) in self.parts.iter().enumerate() {
            let _ = writeln!(text, "service n{node} {{");
            if let Some(share) = self.shares[node] {
                let _ = writeln!(text, "  availability {}%", (share * 100.0).round());
            }
            for part in parts {
                let _ = match part {
                    Part::Call { to, through: None } => writeln!(text, "  -> n{to}"),
                    Part::Call { to, through: Some(node) } => writeln!(text, "  -> n{to} {{ through n{node} }}"),
                    Part::Dropped { to } => writeln!(text, "  ->> n{to}"),
                    Part::Soft { to, instead: None } => writeln!(text, "  -> n{to} {{ fallback \"less\" }}"),
                    Part::Soft { to, instead: Some(other) } => {
                        writeln!(text, "  -> n{to} {{ fallback {{ -> n{other} }} }}")
                    }
                    Part::Any { enough, of } => {
                        let calls: Vec<String> = of.iter().map(|to| format!("-> n{to}")).collect();
                        writeln!(text, "  parallel any {enough} {{ {} }}", calls.join("; "))
                    }
                    Part::Split { of, .. } => {
                        let call = |(to, tenths): &(usize, usize)| format!("-> n{to} {{ chance {tenths}0% }}");
                        let calls: Vec<String> = of.iter().map(call).collect();
                        writeln!(text, "  one-of {{ {} }}", calls.join("; "))
                    }
                    Part::Sometimes { to, tenths, .. } => writeln!(text, "  -> n{to} {{ chance {tenths}0% }}"),
                };
            }
            text.push_str("}\n");
        }
        text
    }

    /// Whether a service works if these are up and these branches are taken.
    fn works(&self, node: usize, up: usize, taken: &[usize]) -> bool {
        let is_up = |node: usize| up >> node & 1 == 1;
        let works = |node: usize| self.works(node, up, taken);
        is_up(node)
            && self.parts[node].iter().all(|part| match part {
                Part::Call { to, through } => works(*to) && through.is_none_or(is_up),
                Part::Dropped { .. } | Part::Soft { instead: None, .. } => true,
                Part::Soft { to, instead: Some(other) } => works(*to) || works(*other),
                Part::Any { enough, of } => of.iter().filter(|to| works(**to)).count() >= *enough,
                Part::Split { site, of } => works(of[taken[*site]].0),
                Part::Sometimes { site, to, .. } => taken[*site] == 1 || works(*to),
            })
    }

    /// All ways to take branches, each with its share.
    fn choices(&self) -> Vec<(Vec<usize>, f64)> {
        let mut all = vec![(Vec::new(), 1.0)];
        for site in &self.sites {
            let longer = |(taken, share): &(Vec<usize>, f64)| {
                let with = |branch: usize| ([taken.as_slice(), &[branch]].concat(), share * site[branch]);
                (0..site.len()).map(with).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all
    }

    /// How often `n0` works if nodes fail independently; what is not stated is always up.
    fn counted(&self) -> f64 {
        let count = self.parts.len();
        let share = |up: usize| {
            let of = |node: usize| self.shares[node].unwrap_or(1.0);
            (0..count).map(|node| if up >> node & 1 == 1 { of(node) } else { 1.0 - of(node) }).product::<f64>()
        };
        let working =
            |taken: &[usize]| (0..1_usize << count).filter(|up| self.works(0, *up, taken)).map(share).sum::<f64>();
        self.choices().iter().map(|(taken, share)| share * working(taken)).sum()
    }

    /// The same if all failures hang on one number between 0 and 1: some nodes fail when it is large, the others when
    /// it is small.
    fn counted_together(&self, turned: usize) -> f64 {
        const STEPS: usize = 100;
        let up = |step: usize| {
            let is_up = |node: &usize| {
                let at = if turned >> node & 1 == 1 { STEPS - 1 - step } else { step };
                at < self.shares[*node].map_or(STEPS, |share| (share * STEPS as f64).round() as usize)
            };
            (0..self.parts.len()).filter(is_up).fold(0, |all, node| all | 1 << node)
        };
        let working =
            |taken: &[usize]| (0..STEPS).filter(|step| self.works(0, up(*step), taken)).count() as f64 / STEPS as f64;
        self.choices().iter().map(|(taken, share)| share * working(taken)).sum()
    }
}

fn availability(facts: &Facts<'_>, name: &str) -> Availability {
    facts.availability(facts.topology().operation_named(name).expect("an operation"))
}

fn same(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn what_is_computed_is_what_is_counted() {
    for seed in 1..=150 {
        let drawn = Drawn::random(&mut Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15)));
        let text = drawn.text();
        support::with_facts(&text, |facts, problems| {
            assert!(problems.iter().all(|problem| problem.rule == "unreachable-node"), "{problems:?}\n{text}");
            let found = availability(facts, "n0");
            let counted = drawn.counted();
            assert!(same(found.independent_at_most, counted), "{found:?} is not {counted}\n{text}");
            if let Some(independent) = found.independent {
                assert!(same(independent, counted), "{found:?} is not {counted}\n{text}");
            }
            assert!(drawn.shares.iter().any(Option::is_none) || found.independent.is_some(), "{found:?}\n{text}");
            for turned in 0..1 << drawn.parts.len() {
                let together = drawn.counted_together(turned);
                let (low, high) = (found.low.unwrap_or(0.0), found.high.unwrap_or(1.0));
                assert!(together <= high + 1e-9, "{together} is above {high}\n{text}");
                let all_stated = drawn.shares.iter().all(Option::is_some);
                assert!(!all_stated || together >= low - 1e-9, "{together} is below {low}\n{text}");
            }
        });
    }
}

#[test]
fn what_fails_with_a_node_is_what_is_counted() {
    for seed in 1..=200 {
        let drawn = Drawn::random(&mut Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15)));
        let text = drawn.text();
        support::with_facts(&text, |facts, _| {
            let entry = facts.topology().operation_named("n0").expect("an operation");
            for node in 0..drawn.parts.len() {
                let killed = facts.topology().node_named(&format!("n{node}")).expect("a node");
                let failure = Failure { what: Target::Node(killed), works: 0.0 };
                let verdict = facts.outlooks(&[failure], &[entry])[0].verdict;
                let up = ((1 << drawn.parts.len()) - 1) & !(1 << node);
                let works: Vec<bool> = drawn.choices().iter().map(|(taken, _)| drawn.works(0, up, taken)).collect();
                let fits = match verdict {
                    Verdict::Fails => works.iter().all(|works| !works),
                    Verdict::FailsPartly => works.iter().any(|works| !works),
                    Verdict::Works | Verdict::Degrades => works.iter().all(|works| *works),
                };
                assert!(fits, "without n{node}: {verdict:?}, {works:?}\n{text}");
            }
        });
    }
}

/// A question leaves most as it is. With something that changes nothing and is not down altogether, all is solved anew:
/// that has to be the same.
#[test]
fn what_a_question_leaves_as_it_is_needs_no_second_look() {
    for seed in 1..=100 {
        let drawn = Drawn::random(&mut Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15)));
        let text = drawn.text();
        support::with_facts(&text, |facts, _| {
            let all: Vec<_> = facts.topology().operation_ids().collect();
            let nodes = || (0..drawn.parts.len()).filter_map(|node| facts.topology().node_named(&format!("n{node}")));
            for node in nodes() {
                let down = Failure { what: Target::Node(node), works: 0.0 };
                let nothing = nodes().map(|node| Failure { what: Target::Node(node), works: 1.0 });
                let anew: Vec<Failure> = std::iter::once(down).chain(nothing).collect();
                let (quick, anew) = (facts.outlooks(&[down], &all), facts.outlooks(&anew, &all));
                for (quick, anew) in quick.iter().zip(&anew) {
                    let (quick, anew) = (&quick.availability, &anew.availability);
                    let all = |found: &Availability| {
                        let exact = [found.proved_at_most, found.independent_at_most, found.promised_at_most].map(Some);
                        [found.low, found.independent, found.high, found.per_request].into_iter().chain(exact).collect()
                    };
                    let (one, other): (Vec<Option<f64>>, Vec<Option<f64>>) = (all(quick), all(anew));
                    let alike = one.iter().zip(&other).all(|(one, other)| match (one, other) {
                        (Some(one), Some(other)) => same(*one, *other),
                        _ => one == other,
                    });
                    assert!(alike, "{quick:?} is not {anew:?}\n{text}");
                }
            }
        });
    }
}

fn of_shop(text: &str) -> Availability {
    support::with_facts(text, |facts, problems| {
        assert_eq!(problems, [], "{text}");
        availability(facts, "shop")
    })
}

#[track_caller]
fn is(found: Option<f64>, expected: f64) {
    assert!(found.is_some_and(|found| (found - expected).abs() < 1e-7), "{found:?} is not {expected}");
}

#[test]
fn a_database_behind_two_replicas_counts_once() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 100%; parallel any 1 { -> one; -> two } }\n\
         service one, two { availability 99%; -> db.read }\nstore db { availability 99.9% }\n",
    );
    is(shop.independent, 0.998_900_1);
    is(shop.high, 0.999);
}

#[test]
fn a_database_that_is_needed_twice_counts_once() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 99.95%; -> one; -> two }\n\
         service one, two { availability 99.95%; -> db.read }\nstore db { availability 99.9% }\n",
    );
    is(shop.independent, 0.997_502_3);
    // By requests, each of the two reads can fail.
    is(shop.per_request, 0.996_504_7);
}

#[test]
fn of_a_chain_there_is_an_interval() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 99.95%; -> a; -> b; -> c }\n\
         service a, b { availability 99.9% }\nservice c { availability 99.99% }\n",
    );
    is(shop.low, 0.9974);
    assert!(shop.independent.is_some_and(|share| (share - 0.997_402).abs() < 1e-6));
    is(shop.high, 0.999);
}

#[test]
fn stated_independence_leaves_one_number() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 100%; independent-of a, b; parallel any 1 { -> a; -> b } }\n\
         service a { availability 99%; independent-of b }\nservice b { availability 99% }\n",
    );
    is(shop.low, 0.9999);
    is(shop.independent, 0.9999);
    is(shop.high, 0.9999);
}

#[test]
fn tries_help_requests_and_no_outage() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 100%; -> a { attempts 3 } }\nservice a { availability 90% }\n",
    );
    is(shop.independent, 0.9);
    is(shop.per_request, 0.999);
}

#[test]
fn five_parts_with_five_nines_take_half_of_four_nines() {
    let parts: Vec<String> = (0..5).map(|part| format!("-> p{part}")).collect();
    let services: Vec<String> = (0..5).map(|part| format!("p{part}")).collect();
    let shop = of_shop(&format!(
        "client web {{ -> shop }}\nservice shop {{ availability 100%; {} }}\nservice {} {{ availability 99.999% }}\n",
        parts.join("; "),
        services.join(", ")
    ));
    let minutes = |share: f64| (1.0 - share) * 365.0 * 24.0 * 60.0;
    assert!((minutes(shop.low.expect("known")) - 26.28).abs() < 0.01);
    assert!((minutes(0.9999) - 52.56).abs() < 0.01);
}

#[test]
fn a_queue_is_needed_by_who_waits_for_it_and_its_consumers_by_nobody() {
    let text = |arrow| {
        format!(
            "client web {{ -> shop }}\nservice shop {{ availability 99.99%; {arrow} jobs }}\n\
             queue jobs {{ availability 99.9% }}\nservice worker {{ availability 90% }}\njobs ->> worker\n"
        )
    };
    is(of_shop(&text("->")).independent, 0.9999 * 0.999);
    is(of_shop(&text("->>")).independent, 0.9999);
}

#[test]
fn a_cache_answers_what_it_has_and_the_store_the_rest() {
    let shop = of_shop(
        "client web { -> shop }\nservice shop { availability 100%; -> near.get; -> db.read }\n\
         cache near { of db; hit-ratio 90%; availability 99% }\nstore db { availability 99% }\n",
    );
    is(shop.independent, 0.9 * (1.0 - 0.01 * 0.01) + 0.1 * 0.99);
}

#[test]
fn what_is_not_stated_is_not_known_and_bounds_nothing() {
    let shop = of_shop("client web { -> shop }\nservice shop { -> a }\nservice a { availability 99% }\n");
    assert_eq!((shop.low, shop.independent), (None, None));
    is(shop.high, 0.99);
    let bare = of_shop("client web { -> shop }\nservice shop { -> a }\nservice a\n");
    assert_eq!((bare.low, bare.independent, bare.high), (None, None, None));
}

#[test]
fn wide_groups_and_long_chains_stay_within_the_budget() {
    let mut text = String::from("client web { -> shop }\nservice shop { availability 99%; -> s0 }\n");
    for node in 0..3_000 {
        let _ = writeln!(text, "service s{node} {{ availability 99.999%; -> s{} }}", node + 1);
    }
    text.push_str("service s3000 { availability 99.999% }\n");
    let shop = of_shop(&text);
    assert!(shop.low.is_some() && shop.high.is_some_and(|high| high <= 0.99));
}
