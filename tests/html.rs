//! The page in a browser: what people do in it, that no text of a topology runs, and that nothing is fetched.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

mod browser;
mod program;
mod support;

use browser::{Browser, installed};
use support::{ROOT, Texts, page};
use topolint::render::{Theme, View};

fn shop() -> String {
    let text = std::fs::read_to_string("examples/shop.topo").unwrap();
    page(&Texts::one(text), ROOT, &View::default(), Theme::Auto)
}

/// Texts that would do something, if anything took them for more than text.
const HOSTILE: [&str; 7] = [
    "<script>window.ran = 1</script>",
    "</script><script>window.ran = 2</script>",
    "'><img src=x onerror=window.ran=3>",
    "]]></style><svg onload=window.ran=4>",
    "<a href=https://example.invalid/>x</a><iframe src=https://example.invalid/></iframe>",
    "\u{1b}[31m\u{202e}txet\u{2028}<!--<script>",
    "{{7*7}} ${window.ran = 5} javascript:window.ran=6",
];

fn hostile() -> String {
    let mut text = String::from("topology t \"</title><script>window.ran = 8</script>\"\nclient web\n");
    for (index, label) in HOSTILE.iter().enumerate() {
        text.push_str(
            &"group g# \"~\" { service s# \"~\" { owner \"~\" } }\nweb -> s# \"~\" { timeout none; fallback \"~\" }\n"
                .replace('#', &index.to_string())
                .replace('~', label),
        );
    }
    let long = "<b>x".repeat(2500);
    text + &"service long \"~\"\nweb -> long { timeout none; fallback \"~\" }\n".replace('~', &long)
}

#[test]
fn the_same_text_is_the_same_page() {
    assert_eq!(shop(), shop());
}

#[test]
fn no_text_of_a_topology_is_markup() {
    let page = page(&Texts::one(hostile()), ROOT, &View::default(), Theme::Auto);
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    assert_eq!(page.matches("<style").count(), 1);
    for harmful in ["<img", "<iframe", "<svg onload", "<!--", "<b>", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(harmful), "{harmful}");
    }
}

#[test]
fn nothing_of_a_text_runs_and_nothing_is_fetched() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(program, "hostile", (1400, 900));
    let page = page(&Texts::one(hostile()), ROOT, &View::default(), Theme::Auto);
    browser.open(&page, "");
    assert_eq!(browser.ask("String(window.ran)"), "undefined");
    // Whatever is shown on demand.
    for index in 0..8 {
        browser.ask(&format!("location.hash = 'node=s{index}'; 0"));
        browser.ask(&format!("location.hash = 'kill=s{index}&tab=questions'; 0"));
        browser.ask(&format!("location.hash = 'finding={}'; 0", index + 1));
    }
    browser.ask(
        "location.hash = 'search=' + encodeURIComponent('<script>'); new Promise((done) => setTimeout(done, 200))",
    );
    assert_eq!(browser.ask("String(window.ran)"), "undefined");
    assert_eq!(browser.ask("document.querySelectorAll('img, iframe, script, body a:not(svg a)').length"), 2);
    assert_eq!(browser.complaints, [] as [String; 0]);
    assert_eq!(browser.requests.len(), 1, "{:?}", browser.requests);
    // The policy would have stopped what is not in the page: it is in force.
    browser.ask(
        "document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.ran = 9' })); 0",
    );
    browser.ask("new Promise((done) => { const image = new Image(); image.onerror = done; image.src = 'https://example.invalid/x.png'; })");
    assert_eq!(browser.ask("String(window.ran)"), "undefined");
    assert!(browser.complaints.iter().any(|said| said.contains("Content Security Policy")), "{:?}", browser.complaints);
}

#[test]
fn people_find_their_way() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(program, "shop", (1400, 900));
    let page = shop();
    browser.open(&page, "");
    let all = browser.count(".finding");
    assert!(all >= 10, "{all}");

    // What is pointed at tells its story: values, places, what is unstated.
    browser.point("[data-label='0'] text");
    let story = browser.text("#story");
    assert!(story.contains("timeout 400ms") && story.contains("defaults of the file"), "{story}");
    assert!(story.contains("example.topo:") && story.contains("Unstated: "), "{story}");

    // A level is filtered away, in the list and in the picture.
    let badges = browser.count("#picture a");
    browser.click("#filters input[value=info]");
    assert_eq!(browser.count(".finding"), 5);
    assert!(browser.text("#filters").starts_with("error 5"), "{}", browser.text("#filters"));
    assert!(browser.count("#picture a") < badges);
    browser.click("#filters input[value=info]");
    browser.ask(
        "const family = document.querySelector('#family'); family.selectedIndex = 1; \
                 family.dispatchEvent(new Event('change', { bubbles: true })); 0",
    );
    assert!(browser.count(".finding") < all);
    browser.ask("family.selectedIndex = 0; family.dispatchEvent(new Event('change', { bubbles: true })); 0");
    assert_eq!(browser.count(".finding"), all);

    // A badge opens its finding; its witness is walked with buttons and keys.
    browser.click("#picture a[href='#finding-4']");
    assert_eq!(browser.text(".finding.is-open .kind"), "error · timeout-inversion");
    browser.click("#walk [data-step='1']");
    assert_eq!(browser.text(".hop[aria-current] .subject"), "orders.place -> payments.charge");
    assert_eq!(browser.count("#picture .is-current"), 1);
    browser.key("n");
    assert_eq!(browser.text(".hop[aria-current] .subject"), "payments.charge -> psp.authorize");
    assert!(browser.text("#walk").contains("2 of 3"));
    browser.key("p");
    assert_eq!(browser.ask("location.hash"), "#finding=4&hop=1");
    browser.key("Escape");
    browser.key("Escape");
    assert_eq!(browser.count(".finding.is-open"), 0);

    // Words are searched for in nodes, calls and findings; Enter goes to the first.
    browser.key("/");
    for letter in "ledger".chars() {
        browser.key(&letter.to_string());
    }
    assert!(browser.text("#results").starts_with("1 node, 1 arrow"), "{}", browser.text("#results"));
    assert_eq!(browser.count("#picture [data-node].is-lit"), 1);
    browser.key("Enter");
    assert!(browser.text("#story").starts_with("ledger"));
    browser.key("Escape");

    // A flow lights what it reaches.
    browser.click("#tab-flows");
    assert!(browser.text("#flows").contains("gateway.checkout\nworst case 2.45 s"), "{}", browser.text("#flows"));
    browser.click("#flows .row");
    assert!(browser.count("#picture [data-node].is-lit") > 1);
    let lit = "[...document.querySelectorAll('[data-node].is-lit .name')].map((name) => name.textContent).join(' ')";
    let lit = browser.ask(lit);
    assert!(lit.as_str().unwrap().contains("browser"), "with the call that starts it: {lit}");
    assert!(!browser.text("#flows").contains("over 0 arrows"));
    assert!(browser.count("#picture [data-node]:not(.is-lit)") > 1);

    // What becomes of the entries if something is down.
    browser.click("#tab-questions");
    browser.open(&page, "#kill=orders-db&tab=questions");
    let answer = browser.text("#questions");
    assert!(answer.starts_with("What if orders-db is down?"), "{answer}");
    assert!(answer.contains("gateway.checkout\tfails"), "{answer}");
    assert!(browser.ask("document.querySelector('#overlay').textContent").as_str().unwrap().contains("✕ down"));
    browser.open(&page, "#hang=orders.place->payments.charge&tab=questions");
    assert!(browser.text("#questions").contains("is never answered?"), "{}", browser.text("#questions"));

    // A box is folded and opened again.
    browser.open(&page, "");
    let drawn = browser.ask("document.querySelectorAll('#picture [data-node]:not(.is-folded)').length");
    browser.click("[data-title] text");
    assert_eq!(browser.count("#picture .cover"), 1);
    assert_ne!(browser.ask("document.querySelectorAll('#picture [data-node]:not(.is-folded)').length"), drawn);
    browser.click(".cover text");
    assert_eq!(browser.count("#picture .cover"), 0);

    assert_eq!(browser.complaints, [] as [String; 0]);
    assert!(browser.requests.iter().all(|request| request.starts_with("file:")), "{:?}", browser.requests);
}

/// The page of a change: a call that is slower, one that came with its node, one that went with its node.
fn change() -> String {
    let before = "client web; service shop; store db; external old; web -> shop { timeout 1s; retries none }; \
                  shop -> db { timeout none; retries none }; shop -> old { timeout 2s; retries none }";
    let after = "client web; service shop; store db; service added; web -> shop { timeout 3s; retries none }; \
                 shop -> db { timeout 100ms; retries none }; shop -> added { timeout none }";
    let folder = program::Folder::of(after).with("../before/a.topo", before);
    let run = folder.run("render a.topo --against ../before -o page.html");
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    std::fs::read_to_string(folder.path("page.html")).unwrap()
}

#[test]
fn a_change_is_looked_at_from_either_side() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(program, "change", (1400, 900));
    browser.open(&change(), "");
    let drawn = "[...document.querySelectorAll('#picture [data-node]')].filter((node) => getComputedStyle(node).visibility \
                 === 'visible').map((node) => node.querySelector('.name').textContent).join(' ')";
    let written = "[...document.querySelectorAll('#picture [data-label]')].filter((label) => \
                   getComputedStyle(label).visibility === 'visible').map((label) => label.textContent).join(' ')";
    let rules = "[...document.querySelectorAll('.finding')].filter((item) => item.checkVisibility()).map((item) => \
                 item.querySelector('.kind').textContent).join(', ')";
    let texts =
        |browser: &mut Browser| [drawn, written, rules].map(|asked| browser.ask(asked).as_str().unwrap().to_owned());
    let [nodes, labels, found] = texts(&mut browser);
    assert_eq!(nodes, "web shop db added old");
    assert!(labels.contains("1 × 1 s → 1 × 3 s") && labels.contains("NEW") && labels.contains("GONE"), "{labels}");
    assert!(found.starts_with("NEW ") && found.contains("FIXED error · missing-timeout"), "{found}");

    browser.click("#sides [data-side=before]");
    let [nodes, labels, found] = texts(&mut browser);
    assert_eq!(nodes, "web shop db old");
    assert!(labels.contains("1 × 1 s") && !labels.contains('→') && !labels.contains("GONE"), "{labels}");
    assert!(found.contains("FIXED error · missing-timeout") && !found.contains("NEW"), "{found}");
    assert_eq!(browser.count("#picture .mark-gone, #picture .mark-changed"), 0);
    // Red is what something was found on then, and not what something is found on now.
    let red =
        "[...document.querySelectorAll('.edge.with-error')].map((edge) => edge.getAttribute('aria-label')).join(', ')";
    assert_eq!(browser.ask(red), "shop -> db");
    // What was fixed is found where it was, too.
    let number = browser.ask("document.querySelector('#overlay a.tag').textContent");
    browser.click("#overlay a.tag");
    let open = browser.text(".finding.is-open .kind");
    assert!(open.starts_with("FIXED ") && number == browser.text(".finding.is-open .mark"), "{number}: {open}");
    browser.key("Escape");
    browser.key("c");
    assert_eq!(browser.ask("location.hash"), "#side=after");
    let [nodes, labels, found] = texts(&mut browser);
    assert_eq!(nodes, "web shop db added");
    assert!(labels.contains("1 × 3 s") && !labels.contains('→') && !labels.contains("NEW"), "{labels}");
    assert!(found.contains("NEW ") && !found.contains("FIXED"), "{found}");
    let found = browser.ask(red);
    assert!(found.as_str().unwrap().starts_with("shop -> added") && !found.as_str().unwrap().contains("db"), "{found}");

    // What went is shown where it was.
    browser.key("c");
    browser.ask(
        "[...document.querySelectorAll('.finding')].find((item) => \
                 item.textContent.includes('FIXED')).querySelector('.opener').click(); 0",
    );
    assert!(browser.count("#picture .is-lit") >= 2);
    browser.open(&change(), "#node=old");
    assert!(browser.text("#story").contains("Gone with this change."), "{}", browser.text("#story"));
    assert_eq!(browser.complaints, [] as [String; 0]);
}

#[test]
fn a_few_hundred_nodes_have_all_their_answers() {
    let part = |part: usize| {
        "client c#\nservice s#\nstore d#\nc# -> s# { timeout 3s }\ns# -> d# { timeout 50ms }\n"
            .replace('#', &part.to_string())
    };
    let text: String = (0..80).map(part).collect();
    let page = page(&Texts::one(text), ROOT, &View::default(), Theme::Light);
    assert!(page.contains("s79") && !page.contains("questions are not answered here"));
}

#[test]
fn what_is_printed_is_the_picture_and_all_that_is_found() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(program, "print", (1000, 1400));
    browser.open(&shop(), "#finding=4&hop=2");
    browser.call("Emulation.setEmulatedMedia", &serde_json::json!({ "media": "print" }));
    browser.ask("dispatchEvent(new Event('beforeprint')); 0");
    assert_eq!(browser.count("#controls, #walk, #story, [role=tablist], #search, #filters"), 0);
    assert_eq!(browser.count(".finding"), browser.count(".finding .more"));
    assert!(browser.count("#picture") == 1 && browser.count("#signs") == 1);
    let first = browser.ask("document.querySelector('#legend').getBoundingClientRect().top");
    let second = browser.ask("document.querySelector('#findings').getBoundingClientRect().top");
    assert!(first.as_f64().unwrap() < second.as_f64().unwrap());
}

#[test]
fn the_picture_moves_and_the_page_is_dark_where_readers_are() {
    let Some(program) = installed() else { return };
    let mut browser = Browser::start(program, "moves", (1400, 900));
    browser.open(&shop(), "");
    let width = "Number(document.querySelector('#picture').getAttribute('viewBox').split(' ')[2])";
    let left = "Number(document.querySelector('#picture').getAttribute('viewBox').split(' ')[0])";
    let whole = browser.ask(width).as_f64().unwrap();
    browser.wheel((400.0, 500.0), -200.0);
    browser.ask("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))");
    assert!(browser.ask(width).as_f64().unwrap() < whole);
    let before = browser.ask(left).as_f64().unwrap();
    browser.mouse("mousePressed", (300.0, 780.0));
    for x in [320.0, 360.0, 400.0] {
        let event = serde_json::json!({ "type": "mouseMoved", "x": x, "y": 780.0, "button": "left", "buttons": 1 });
        browser.call("Input.dispatchMouseEvent", &event);
    }
    browser.mouse("mouseReleased", (400.0, 780.0));
    assert!(browser.ask(left).as_f64().unwrap() < before - 50.0);
    browser.key("0");
    assert!((browser.ask(width).as_f64().unwrap() - whole).abs() < 0.01);

    // All that is drawn is reached with the keyboard.
    browser.ask("document.querySelector('[data-node=\"1\"]').focus(); 0");
    browser.key("Enter");
    assert!(browser.ask("location.hash").as_str().unwrap().starts_with("#node="));

    // Lists are gone through with it, too: what is pressed keeps the focus though it is written anew.
    let focused = "document.activeElement.closest('#flows, #questions')?.id ?? document.activeElement.id";
    browser.open(&shop(), "#tab=flows");
    for _ in 0..2 {
        browser.key("Tab");
    }
    assert_eq!(browser.ask("document.activeElement.id"), "skip");
    browser.key("Enter");
    assert_eq!(browser.ask(focused), "tab-flows");
    browser.key("Tab");
    browser.key("Enter");
    assert_eq!(browser.ask("location.hash"), "#tab=flows&flow=gateway.basket");
    assert_eq!(browser.ask(focused), "flows");
    browser.open(&shop(), "#tab=questions");
    browser.ask("document.querySelector('#questions .row').focus(); 0");
    browser.key("Enter");
    assert!(browser.text("#questions").starts_with("What if "), "{}", browser.text("#questions"));
    assert_eq!(browser.ask("document.activeElement.textContent"), "Back");
    browser.key("Enter");
    assert_eq!(browser.ask(focused), "questions");

    let paper = "getComputedStyle(document.body).backgroundColor";
    browser.prefer("light");
    let light = (browser.ask(paper), browser.screenshot());
    browser.prefer("dark");
    let dark = (browser.ask(paper), browser.screenshot());
    assert_eq!((light.0.as_str(), dark.0.as_str()), (Some("rgb(255, 255, 255)"), Some("rgb(13, 17, 23)")));
    assert_ne!(light.1, dark.1);
}
