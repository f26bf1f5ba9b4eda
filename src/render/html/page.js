"use strict";
// Shows and hides what the page holds. All that is seen follows from `state`, which the address holds as well, so that a
// link leads to what somebody saw. Data becomes text only: nothing here reads markup.
(() => {
  const one = (selector, within = document) => within?.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(one("#data").textContent);
  const picture = one("#picture");
  const svgNamespace = "http://www.w3.org/2000/svg";

  /** An element with attributes and children; text stays text. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") element.addEventListener("click", value);
      else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== undefined && child !== ""));
    return element;
  };
  const draw = (tag, attributes, ...children) => {
    const element = document.createElementNS(svgNamespace, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  /** A sentence, with what stands between backticks as code. */
  const sentence = (text) => {
    const parts = text.split("`");
    const code = (part, index) => (index % 2 && index + 1 < parts.length ? make("code", {}, part) : part);
    return make("span", {}, ...parts.map(code));
  };
  const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  // What is drawn, by its place in the data.
  const drawn = (name) => {
    const found = [];
    for (const element of all(`[data-${name}]`, picture)) found[Number(element.getAttribute(`data-${name}`))] = element;
    return found;
  };
  const nodes = drawn("node");
  const edges = drawn("edge");
  const labels = drawn("label");
  const boxes = drawn("box");
  const titles = drawn("title");
  const badges = all('a[href^="#finding-"]', picture);
  const numberOf = (badge) => Number(badge.getAttribute("href").slice("#finding-".length)) - 1;
  const items = [];
  for (const item of all(".finding")) items[Number(item.dataset.finding)] = item;
  const overlay = picture.appendChild(draw("g", { id: "overlay" }));

  const nodeName = (index) => data.nodes[index]?.story.name ?? "?";
  const edgeName = (index) => `${nodeName(data.edges[index].from)} → ${nodeName(data.edges[index].to)}`;
  const calls = data.edges.flatMap((edge, index) =>
    edge.calls.map((call, nth) => ({ edge: index, nth, identity: call.identity, name: call.story.name })));
  const isInside = (group, outer) => {
    for (let at = group; at !== null && at !== undefined; at = data.groups[at].parent) if (at === outer) return true;
    return false;
  };

  // ---- state and address ----

  const start = { tab: "findings", finding: -1, hop: -1, node: -1, edge: -1, flow: -1, kill: -1, hang: -1, side: "", search: "", family: "", hidden: [], folds: [] };
  let state = { ...start };

  const read = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    const named = (list, key, name) => (asked.has(key) ? list.findIndex((entry) => [name(entry), name(entry).split("#")[0]].includes(asked.get(key))) : -1);
    const text = asked.get("finding");
    const number = data.findings.findIndex((finding) => finding.fingerprint === text);
    const anchor = /^#finding-(\d+)$/.exec(location.hash);
    const finding = anchor ? Number(anchor[1]) - 1 : number >= 0 ? number : Number(text ?? 0) - 1;
    const call = named(calls, "call", (entry) => entry.identity);
    const known = ["findings", "flows", "questions", "legend"];
    state = {
      ...start,
      tab: known.includes(asked.get("tab")) ? asked.get("tab") : "findings",
      finding: data.findings[finding] ? finding : -1,
      hop: asked.has("hop") ? Number(asked.get("hop")) - 1 : -1,
      node: named(data.nodes, "node", (node) => node.story.name),
      edge: call < 0 ? -1 : calls[call].edge,
      flow: named(data.flows, "flow", (flow) => flow.name),
      kill: named(data.nodes, "kill", (node) => node.story.name),
      hang: named(calls, "hang", (entry) => entry.identity),
      side: data.compared && ["before", "after"].includes(asked.get("side")) ? asked.get("side") : "",
      search: asked.get("search") ?? "",
      family: asked.get("family") ?? "",
      hidden: (asked.get("hide") ?? "").split(",").filter(Boolean),
      folds: asked.getAll("fold").map((name) => data.groups.findIndex((group) => group.name === name)).filter((index) => index >= 0),
    };
    const hops = data.findings[state.finding]?.hops.length ?? 0;
    state.hop = Number.isInteger(state.hop) ? Math.max(-1, Math.min(state.hop, hops - 1)) : -1;
    one("#search").value = state.search;
  };
  const write = () => {
    const said = new URLSearchParams();
    if (state.tab !== "findings") said.set("tab", state.tab);
    if (state.finding >= 0) said.set("finding", state.finding + 1);
    if (state.hop >= 0) said.set("hop", state.hop + 1);
    if (state.node >= 0) said.set("node", nodeName(state.node));
    const call = data.edges[state.edge]?.calls[0];
    if (call) said.set("call", call.identity);
    if (state.flow >= 0) said.set("flow", data.flows[state.flow].name);
    if (state.kill >= 0) said.set("kill", nodeName(state.kill));
    if (state.hang >= 0) said.set("hang", calls[state.hang].identity);
    if (state.side) said.set("side", state.side);
    if (state.search) said.set("search", state.search);
    if (state.family) said.set("family", state.family);
    if (state.hidden.length) said.set("hide", state.hidden.join(","));
    for (const fold of state.folds) said.append("fold", data.groups[fold].name);
    history.replaceState(null, "", `#${said}`);
  };
  const set = (change) => {
    const restore = holding();
    state = { ...state, ...change };
    write();
    show();
    restore();
  };
  /** What was focused may be made anew: then its successor is, or what took the place of the list it was in. */
  const holding = () => {
    const held = document.activeElement;
    const panel = held?.closest("#flows, #questions, #results, #story, #walk");
    const place = panel ? all("button", panel).indexOf(held) : -1;
    const step = held?.dataset?.step;
    return () => {
      if (!panel || held.isConnected) return;
      const same = step ? one(`[data-step="${step}"]:not([disabled])`, panel) : undefined;
      const left = panel.hidden ? [] : all("button:not([disabled])", panel);
      const next = same ?? left[panel.id === "questions" ? 0 : Math.min(place, left.length - 1)];
      (next ?? one("[role=tab][aria-selected=true]")).focus();
    };
  };
  // One thing is looked at at a time.
  const nothing = { finding: -1, hop: -1, flow: -1, kill: -1, hang: -1, node: -1, edge: -1, search: "" };
  const look = (change) => {
    one("#search").value = "";
    set({ ...nothing, ...change });
  };

  // ---- what is lit ----

  const light = (lit) => {
    picture.classList.toggle("is-selective", Boolean(lit));
    const mark = (elements, chosen) => elements.forEach((element, index) => element.classList.toggle("is-lit", Boolean(lit) && chosen.has(index)));
    mark(nodes, lit?.nodes ?? new Set());
    mark(edges, lit?.edges ?? new Set());
    mark(labels, lit?.edges ?? new Set());
  };
  const mark = (name, chosenNodes, chosenEdges) => {
    nodes.forEach((element, index) => element.classList.toggle(name, chosenNodes.includes(index)));
    edges.forEach((element, index) => element.classList.toggle(name, chosenEdges.includes(index)));
  };
  const ends = (chosen) => [...chosen].flatMap((edge) => [data.edges[edge].from, data.edges[edge].to]);
  const given = (value) => value !== null && value !== undefined;
  const around = (spots) => {
    const lit = { nodes: new Set(), edges: new Set() };
    for (const spot of spots) {
      if (given(spot.edge)) lit.edges.add(spot.edge);
      if (given(spot.node)) lit.nodes.add(spot.node);
    }
    ends(lit.edges).forEach((node) => lit.nodes.add(node));
    return lit;
  };
  const elementOf = (spot) => (given(spot.edge) ? edges[spot.edge] : given(spot.node) ? nodes[spot.node] : undefined);

  /** A small plate with a text on something that is drawn; it may be one of several there, and lead to a finding. */
  const tag = (element, text, kind, above, nth = 0, link = undefined) => {
    if (!element) return;
    const width = 10 + 7.4 * text.length;
    const line = one(".line", element);
    const label = line && labels[edges.indexOf(element)];
    let at;
    if (label) {
      const frame = label.getBBox();
      at = { x: frame.x + (above ? frame.width / 2 : -width / 2), y: above ? frame.y - 5 : frame.y + 9 };
    } else if (line) at = line.getPointAtLength(line.getTotalLength() * 0.5);
    else {
      const frame = one(".body", element).getBBox();
      at = { x: frame.x + (above ? frame.width / 2 : 6), y: frame.y - (above ? 3 : 0) };
    }
    at = { x: at.x + nth * (width + 3), y: at.y };
    const leads = link && { href: link, "aria-label": `Finding ${text}` };
    overlay.append(draw(link ? "a" : "g", { class: `tag ${kind}`, ...leads },
      draw("rect", { x: at.x - width / 2, y: at.y - 9.5, width, height: 19, rx: 9.5 }),
      draw("text", { x: at.x, y: at.y + 4.3 }, text)));
  };

  const showWitness = () => {
    const finding = data.findings[state.finding];
    const spots = finding.hops.length ? finding.hops : finding.about;
    light(around([...spots, ...finding.about]));
    const numbers = new Map();
    finding.hops.forEach((spot, index) => {
      const element = elementOf(spot);
      if (element) numbers.set(element, [...(numbers.get(element) ?? []), index + 1]);
    });
    for (const [element, list] of numbers) tag(element, list.join("·"), "");
    const current = finding.hops[state.hop];
    const isGiven = (value) => (given(value) ? [value] : []);
    mark("is-current", isGiven(current?.node), isGiven(current?.edge));
    const isTold = (spot) => [elementOf(spot), ...(given(spot.edge) ? [labels[spot.edge], nodes[data.edges[spot.edge].from], nodes[data.edges[spot.edge].to]] : [])];
    reveal((current ? [current] : spots).flatMap(isTold).filter(Boolean));
  };
  const showOutlook = () => {
    const outlook = chosenOutlook();
    const call = calls[state.hang];
    const broken = call ? edges[call.edge] : nodes[state.kill];
    const lit = around(call ? [{ edge: call.edge }] : [{ node: state.kill }]);
    for (const entry of outlook?.entries ?? []) {
      if (given(entry.node)) lit.nodes.add(entry.node);
      entry.way.forEach((edge) => lit.edges.add(edge));
    }
    ends(lit.edges).forEach((node) => lit.nodes.add(node));
    light(lit);
    reveal([...lit.nodes].map((node) => nodes[node]));
    mark("is-broken", call ? [] : [state.kill], call ? [call.edge] : []);
    tag(broken, call ? "✕ no answer" : "✕ down", "tag-3", Boolean(call));
    const worst = new Map();
    for (const entry of outlook?.entries ?? []) {
      if (given(entry.node) && entry.node !== state.kill) worst.set(entry.node, Math.max(worst.get(entry.node) ?? 0, entry.verdict));
    }
    for (const [node, verdict] of worst) tag(nodes[node], ["works", "degrades", "fails in part", "fails"][verdict], `tag-${verdict}`, true);
  };
  const showFlow = () => {
    const flow = data.flows[state.flow];
    const lit = around(flow.callers.map((edge) => ({ edge })));
    flow.nodes.forEach((node) => lit.nodes.add(node));
    flow.edges.forEach((edge) => lit.edges.add(edge));
    light(lit);
    reveal([...lit.nodes].map((node) => nodes[node]));
  };
  const chosenOutlook = () => {
    if (state.kill >= 0) return data.outlooks.nodes[state.kill];
    const call = calls[state.hang];
    return call ? data.outlooks.edges[call.edge][call.nth] : undefined;
  };

  // ---- search ----

  const textOf = (element) => element?.textContent.toLowerCase() ?? "";
  const textsOf = (label) => all(".label", label ?? make("p")).map((line) => line.textContent).filter(Boolean);
  const found = () => {
    const terms = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (text) => terms.every((term) => text.includes(term));
    return {
      nodes: data.nodes.flatMap((node, index) => (isThere(node) && fits(`${node.story.name.toLowerCase()} ${textOf(nodes[index])} ${node.story.parts.map((part) => part.name).join(" ").toLowerCase()}`) ? [index] : [])),
      edges: data.edges.flatMap((edge, index) => (isThere(edge) && fits(`${edge.calls.map((call) => call.story.name).join(" ").toLowerCase()} ${textOf(labels[index])}`) ? [index] : [])),
      findings: items.flatMap((item, index) => (isOnSide(index) && fits(textOf(item)) ? [index] : [])),
    };
  };
  const row = (mark, kind, text, small, pressed, act) =>
    make("button", { type: "button", class: "row", "aria-pressed": pressed === undefined ? undefined : String(pressed), onclick: act },
      make("span", { class: `mark ${kind}` }, mark),
      make("span", {}, text, small ? make("small", {}, small) : ""));
  const showResults = () => {
    const hits = found();
    light({ nodes: new Set(hits.nodes), edges: new Set(hits.edges) });
    const most = 60;
    const rows = [
      ...hits.nodes.slice(0, most).map((index) => row("●", "mark-plain", nodeName(index), "", undefined, () => look({ node: index }))),
      ...hits.edges.slice(0, most).map((index) => row("→", "mark-plain", edgeName(index), textsOf(labels[index]).join(" · "), undefined, () => look({ edge: index }))),
      ...hits.findings.slice(0, most).map((index) => row(String(index + 1), `mark-${data.findings[index].level}`, textContent(items[index], ".sentence"), textContent(items[index], ".kind"), undefined, () => look({ finding: index, tab: "findings" }))),
    ];
    const count = hits.nodes.length + hits.edges.length + hits.findings.length;
    const said = `${counted(hits.nodes.length, "node")}, ${counted(hits.edges.length, "arrow")}, ${counted(hits.findings.length, "finding")}`;
    one("#results").replaceChildren(make("p", { class: "quiet", role: "status" }, count ? said : "Nothing of that name."), ...rows);
  };
  const textContent = (element, selector) => one(selector, element)?.textContent ?? "";

  // ---- lists ----

  const isOnSide = (index) => !state.side || (data.findings[index].only ?? state.side) === state.side;
  const isOfFamily = (finding) => !state.family || finding.family === state.family;
  const isShown = (index) => {
    const finding = data.findings[index];
    return isOnSide(index) && isOfFamily(finding) && !state.hidden.includes(finding.level);
  };
  const showFindings = () => {
    items.forEach((item, index) => {
      item.hidden = !isShown(index) && index !== state.finding;
      item.classList.toggle("is-open", index === state.finding);
      one(".opener", item).setAttribute("aria-expanded", String(index === state.finding));
      all(".hop", item).forEach((hop, nth) => {
        if (index === state.finding && nth === state.hop) hop.setAttribute("aria-current", "step");
        else hop.removeAttribute("aria-current");
      });
    });
    badges.forEach((badge) => badge.classList.toggle("is-filtered", !isShown(numberOf(badge))));
    const levels = data.findings.filter((finding, index) => isOnSide(index) && isOfFamily(finding)).map((finding) => finding.level);
    all("#filters input").forEach((input) => {
      input.checked = !state.hidden.includes(input.value);
      input.nextSibling.textContent = ` ${input.value} ${levels.filter((level) => level === input.value).length}`;
    });
    one("#tab-findings").textContent = `Findings ${data.findings.filter((_, index) => isOnSide(index)).length || ""}`.trim();
    if (one("#family")) one("#family").value = state.family;
  };
  const numbers = (list) => make("dl", {}, ...list.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value.replace("<=", "≤"))]));
  /** What is computed is computed of head alone. */
  const ofAfter = () => (state.side === "before" ? [make("p", { class: "quiet" }, "Computed of what is there after the change.")] : []);
  const showFlows = () => {
    const rows = data.flows.map((flow, index) => {
      const said = flow.numbers.filter(([name, value]) => value !== "?" && ["worst case", "p99", "available"].includes(name)).map((pair) => pair.join(" ").replace("<=", "≤")).join(" · ");
      return row("▶", "mark-plain", flow.name, said, index === state.flow, () => look({ flow: index === state.flow ? -1 : index, tab: "flows" }));
    });
    const flow = data.flows[state.flow];
    const more = flow ? [make("h3", {}, flow.name), numbers(flow.numbers), make("p", { class: "quiet" }, `It reaches ${counted(flow.nodes.length, "node")} over ${counted(flow.edges.length, "arrow")}. A question mark is what is not known.`)] : [];
    const none = rows.length ? [] : [make("p", { class: "quiet" }, "No entry is drawn: nobody is known to call this system.")];
    const further = data.more_flows ? [make("p", { class: "quiet" }, `and ${data.more_flows} more: topolint facts lists all entries`)] : [];
    one("#flows").replaceChildren(...ofAfter(), ...none, ...rows, ...further, ...more);
  };

  const damage = (outlook) => {
    const [fail, part, degrade] = outlook.counts;
    const said = [fail && counted(fail, "entry").replace("entrys", "entries") + (fail === 1 ? " fails" : " fail"), part && `${part} in part`, degrade && `${degrade} degrade${degrade === 1 ? "s" : ""}`].filter(Boolean);
    return said.join(", ") || "no entry fails";
  };
  const questions = [
    ...data.outlooks.nodes.map((outlook, index) => ({ outlook, text: `${nodeName(index)} is down`, kind: "●", change: { kill: index } })),
    ...calls.map((call, index) => ({ outlook: data.outlooks.edges[call.edge][call.nth], text: `${call.name} is never answered`, kind: "→", change: { hang: index } })),
  ].filter((question) => question.outlook);
  const weight = ({ outlook }) => outlook.counts[0] * 1e8 + outlook.counts[1] * 1e4 + outlook.counts[2];
  questions.sort((first, second) => weight(second) - weight(first));
  const isAsked = (change) => ("kill" in change ? change.kill === state.kill : change.hang === state.hang);
  const answer = (outlook) => {
    const told = outlook.entries.map((entry) => make("tr", {},
      make("td", {}, entry.name),
      make("td", {}, make("span", { class: `verdict-${entry.verdict}` }, data.outlooks.words[entry.verdict]),
        entry.available ? make("small", {}, `works ${entry.available[0]} of the time, then ${entry.available[1]}`) : "",
        entry.way.length ? make("small", {}, `over ${entry.way.map(edgeName).join(", ")}`) : "")));
    const more = outlook.more ? [make("p", { class: "quiet" }, `and ${outlook.more} more`)] : [];
    const none = told.length ? [] : [make("p", {}, "No entry is concerned.")];
    return [...none, make("table", { class: "facts" }, make("tbody", {}, ...told)), ...more, ...outlook.lines.map((line) => make("p", {}, sentence(line)))];
  };
  const showQuestions = () => {
    const most = 120;
    const asked = questions.find((question) => isAsked(question.change));
    const chosen = asked
      ? [make("div", { class: "top" }, make("h2", {}, `What if ${asked.text}?`), make("button", { type: "button", class: "plain", onclick: () => look({}) }, "Back")), ...answer(asked.outlook)]
      : [make("p", { class: "quiet" }, "What becomes of the entries if this is down, or never answers? Worst first; all of it was computed when the page was made.")];
    const rows = questions.slice(0, most).map((question) => row(question.kind, "mark-plain", question.text, damage(question.outlook), isAsked(question.change), () => look({ ...question.change, tab: "questions" })));
    const more = questions.length > most ? [make("p", { class: "quiet" }, `and ${questions.length - most} that do less: choose one in the picture`)] : [];
    const note = data.outlooks.note ? [make("p", { class: "quiet" }, data.outlooks.note)] : [];
    one("#questions").replaceChildren(...ofAfter(), ...chosen, ...note, ...(asked ? [make("h3", {}, "Other questions")] : []), ...rows, ...more);
  };
  const showTabs = () => {
    const searches = Boolean(state.search.trim());
    for (const tab of all("[role=tab]")) {
      const chosen = tab.dataset.tab === state.tab;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      one(`#${tab.dataset.tab}`).hidden = searches || !chosen;
    }
    one("#results").hidden = !searches;
  };

  // ---- stories ----

  const statedRow = (fact) => make("tr", {},
    make("td", {}, fact.text),
    make("td", {}, sentence(fact.from), make("small", { class: "where" }, fact.place),
      fact.over.length ? make("details", {}, make("summary", {}, `overrides ${fact.over.length}`),
        ...fact.over.map(([text, from, place]) => make("small", {}, make("code", {}, text), " ", sentence(from), make("span", { class: "where" }, ` ${place}`)))) : ""));
  const told = (story) => [
    story.numbers.length ? numbers(story.numbers) : "",
    story.stated.length ? make("table", { class: "facts" }, make("tbody", {}, ...story.stated.map(statedRow))) : "",
    story.unstated.length ? make("p", { class: "quiet unstated" }, `Unstated: ${story.unstated.join(", ")}`) : "",
  ];
  const chips = (list) => list.map((index) => make("button", { type: "button", class: "plain", onclick: () => look({ finding: index, tab: "findings" }) },
    `${index + 1} ${data.findings[index].level}`));
  /** What became of it, and what is written of it on either side. */
  const fate = (row, lines) => {
    if (!row.sides) return [];
    const [was, is] = row.sides.map((lines) => lines?.join(" · "));
    const stated = state.side === "before" && is !== undefined ? make("p", { class: "quiet" }, "As it is stated after the change:") : "";
    const marked = lines?.map(({ text }) => text).filter((text) => !row.sides[0]?.includes(text)) ?? [];
    if (was === is) return [marked.length ? make("p", { class: "fate" }, marked.join(" · ")) : "", stated];
    const said = was === undefined ? ["New with this change."] : is === undefined ? ["Gone with this change."] : ["before", was, "after", is];
    const besides = marked.filter((text) => said.length > 1 && !text.includes("→"));
    const written = said.map((text, index) => make(index % 2 ? "dd" : "dt", {}, text || "nothing"));
    return said.length === 1 ? [make("p", { class: "fate" }, said[0]), stated] : [make("dl", {}, ...written), ...besides.map((text) => make("p", { class: "fate" }, text)), stated];
  };
  const nodeStory = (index) => {
    const { story, findings } = data.nodes[index];
    const outlook = data.outlooks.nodes[index];
    const near = data.edges.flatMap((edge, at) => (edge.from === index || edge.to === index ? [at] : []));
    const ask = outlook ? make("button", { type: "button", class: "plain", onclick: () => look({ kill: index, tab: "questions" }) }, "What if it is down?") : "";
    return [story.name, [
      ...fate(data.nodes[index], writing.nodes[index]), make("div", { class: "bar" }, ask, ...chips(findings)), ...told(story),
      ...story.parts.flatMap((part) => [make("h3", {}, part.name), ...told(part)]),
      near.length ? make("h3", {}, "Calls") : "",
      make("div", { class: "bar" }, ...near.slice(0, 40).map((edge) => make("button", { type: "button", class: "plain", onclick: () => look({ edge }) }, edgeName(edge)))),
    ]];
  };
  const edgeStory = (index) => {
    const edge = data.edges[index];
    const parts = edge.calls.flatMap((call, nth) => {
      const at = calls.findIndex((entry) => entry.edge === index && entry.nth === nth);
      const ask = data.outlooks.edges[index][nth]
        ? make("div", { class: "bar" }, make("button", { type: "button", class: "plain", onclick: () => look({ hang: at, tab: "questions" }) }, "What if it is never answered?")) : "";
      return [make("h3", {}, call.story.name), ask, ...told(call.story)];
    });
    return [edgeName(index), [...fate(edge, writing.edges[index]), make("div", { class: "bar" }, ...chips(edge.findings)), ...parts]];
  };
  let told_of = "";
  /** The story of what is pointed at, else of what was chosen; it stays to be read when the pointer leaves. */
  const showStory = (node, edge) => {
    const panel = one("#story");
    const key = node >= 0 ? `node ${node} ${state.side}` : edge >= 0 ? `edge ${edge} ${state.side}` : "";
    if (key === told_of && key) return;
    if (!key && told_of) return;
    told_of = key;
    panel.classList.toggle("is-rich", Boolean(key));
    if (!key) {
      panel.replaceChildren(make("p", { class: "quiet" }, "Point at a node or a call to see its whole story: every attribute, where it came from, and what is unstated. Click to keep it."));
      return;
    }
    const [name, parts] = node >= 0 ? nodeStory(node) : edgeStory(edge);
    panel.replaceChildren(make("h2", {}, name), ...parts.filter((part) => part !== ""));
    panel.scrollTop = 0;
  };

  const showWalk = () => {
    const finding = data.findings[state.finding];
    const bar = one("#walk");
    bar.hidden = !finding || !finding.hops.length;
    if (bar.hidden) return;
    const count = finding.hops.length;
    const hop = all(".hop", items[state.finding] ?? document.createElement("p"))[state.hop];
    const text = hop
      ? [make("strong", {}, `${state.hop + 1} of ${count}: ${textContent(hop, ".subject")} `), textContent(hop, ".value") ? make("strong", {}, `${textContent(hop, ".value")} `) : "", ...[...one(".sentence", hop).childNodes].map((child) => child.cloneNode(true))]
      : [`Finding ${state.finding + 1} is proved in ${counted(count, "hop")}.`];
    const step = (name, by, allowed) => make("button", { type: "button", class: "plain", "data-step": String(by), disabled: !allowed, onclick: () => walk(by) }, name);
    bar.replaceChildren(step("‹ Previous", -1, state.hop > 0), make("div", { class: "text", role: "status" }, ...text), step(state.hop < 0 ? "Walk it ›" : "Next ›", 1, state.hop + 1 < count));
  };
  const walk = (by) => {
    const count = data.findings[state.finding]?.hops.length ?? 0;
    if (!count) return;
    set({ hop: Math.max(0, Math.min(state.hop + by, count - 1)), tab: "findings" });
  };

  // ---- what was and what is ----

  const written = (elements, lines) => elements.map((element) => all(lines, element ?? make("p")).map((line) => ({ line, text: line.textContent })));
  const writing = { nodes: written(nodes, ".line-text"), edges: written(labels, ".label") };
  const looks = new Map([...nodes, ...edges].map((element) => [element, element.getAttribute("class")]));
  const sideNumber = { before: 0, after: 1 };
  const isThere = (row) => !state.side || !row.sides || row.sides[sideNumber[state.side]] !== null;
  /** Writes what stands there on that side; what has no line of its own is counted. */
  const rewrite = (lines, texts) => lines.forEach(({ line, text }, index) => {
    const left = texts && index === lines.length - 1 ? texts.length - index : 0;
    line.textContent = !texts ? text : left > 1 ? `and ${left} more` : texts[index] ?? "";
  });
  /** What was found only before, and is drawn at no badge of the change, by the element that it is about. */
  const gone = new Map();
  data.findings.forEach((finding, index) => {
    const element = [...finding.about, ...finding.hops].map(elementOf).find(Boolean);
    if (element && finding.only === "before") gone.set(element, [...(gone.get(element) ?? []), index]);
  });
  const showSide = () => {
    const show = (rows, elements, lines) => rows.forEach((row, index) => {
      rewrite(lines[index] ?? [], row.sides?.[sideNumber[state.side]]);
      const element = elements[index];
      const marked = (looks.get(element) ?? "").split(" ");
      for (const name of marked.filter((name) => name.startsWith("mark-"))) element.classList.toggle(name, !state.side);
      const levels = [...row.findings, ...(gone.get(element) ?? [])].filter(isOnSide).map((found) => data.findings[found].level);
      const worst = ["error", "warn"].find((level) => levels.includes(level));
      for (const level of ["error", "warn"]) {
        const name = `with-${level}`;
        element.classList.toggle(name, state.side ? level === worst : marked.includes(name));
      }
    });
    show(data.nodes, nodes, writing.nodes);
    show(data.edges, edges, writing.edges);
    picture.classList.toggle("is-before", state.side === "before");
    for (const button of all("#sides button")) button.setAttribute("aria-pressed", String(button.dataset.side === state.side));
  };
  /** What was found only there has no badge in the picture of the change: it is given one. */
  const showGone = () => {
    for (const [element, found] of gone) {
      found.filter(isShown).forEach((index, nth) => {
        const kind = { error: "tag-3", warn: "tag-2" }[data.findings[index].level] ?? "";
        tag(element, String(index + 1), kind, false, nth, `#finding-${index + 1}`);
      });
    }
  };
  const turn = () => data.compared && set({ side: { "": "before", before: "after", after: "" }[state.side] });

  // ---- boxes ----

  const showFolds = () => {
    const folded = (group) => given(group) && state.folds.some((fold) => isInside(group, fold));
    const within = data.nodes.map((node) => state.folds.find((fold) => isInside(node.group, fold)));
    const hide = (element, hidden) => {
      element?.classList.toggle("is-folded", hidden);
      if (element?.hasAttribute("tabindex")) element.tabIndex = hidden ? -1 : 0;
    };
    nodes.forEach((element, index) => hide(element, within[index] !== undefined || !isThere(data.nodes[index])));
    data.edges.forEach((edge, index) => {
      const inner = within[edge.from] !== undefined && within[edge.from] === within[edge.to];
      hide(edges[index], inner || !isThere(edge));
      hide(labels[index], inner || !isThere(edge));
    });
    titles.forEach((title, group) => {
      hide(title, folded(data.groups[group].parent) || state.folds.includes(group));
      title.setAttribute("aria-expanded", String(!state.folds.includes(group)));
    });
    for (const fold of state.folds) {
      if (!boxes[fold] || folded(data.groups[fold].parent)) continue;
      const frame = boxes[fold].getBBox();
      const members = data.nodes.filter((node) => isInside(node.group, fold));
      const inner = data.edges.filter((edge) => [edge.from, edge.to].every((node) => isInside(data.nodes[node].group, fold)));
      const count = new Set([...members, ...inner].flatMap((element) => element.findings)).size;
      const [x, y] = [frame.x + frame.width / 2, frame.y + frame.height / 2];
      const cover = draw("g", { class: "cover", role: "button", tabindex: 0, "aria-expanded": "false", "aria-label": `Show the inside of ${data.groups[fold].name}` },
        draw("rect", { x: frame.x, y: frame.y, width: frame.width, height: frame.height, rx: 10 }),
        draw("text", { x, y: y - 2 }, data.groups[fold].name),
        draw("text", { x, y: y + 18 }, `${counted(members.length, "node")}${count ? `, ${counted(count, "finding")}` : ""}`));
      cover.addEventListener("click", () => fold_one(fold));
      overlay.append(cover);
    }
  };
  const fold_one = (group) => set({ folds: state.folds.includes(group) ? state.folds.filter((fold) => fold !== group) : [...state.folds, group] });
  const fold_all = () => set({ folds: state.folds.length ? [] : data.groups.flatMap((group, index) => (group.parent === null && boxes[index] ? [index] : [])) });

  // ---- everything ----

  const show = () => {
    overlay.replaceChildren();
    mark("is-current", [], []);
    mark("is-broken", [], []);
    mark("is-picked", state.node < 0 ? [] : [state.node], state.edge < 0 ? [] : [state.edge]);
    showSide();
    showTabs();
    showFindings();
    showFlows();
    showQuestions();
    showFolds();
    if (state.search.trim()) showResults();
    else if (state.finding >= 0) showWitness();
    else if (state.kill >= 0 || state.hang >= 0) showOutlook();
    else if (state.flow >= 0) showFlow();
    else {
      light(undefined);
      if (state.side === "before") showGone();
    }
    showWalk();
    const hop = data.findings[state.finding]?.hops[state.hop];
    const of_hop = hop ?? (state.hang >= 0 ? calls[state.hang] : { node: state.kill });
    const chosen = (own, other) => (own >= 0 ? own : given(other) ? other : -1);
    showStory(chosen(state.node, of_hop?.node), chosen(state.edge, of_hop?.edge));
    // Only now it is known how much room there is.
    (one("[aria-current]", items[state.finding]) ?? items[state.finding])?.scrollIntoView({ block: "nearest" });
  };

  // ---- size and place ----

  const [, , wide, high] = picture.getAttribute("viewBox").split(" ").map(Number);
  let view = { x: 0, y: 0, width: wide, height: high };
  const place = () => picture.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
  const frame = () => picture.getBoundingClientRect();
  /** All of it; nothing is drawn larger than it is. */
  const fit = () => {
    const { width, height } = frame();
    const scale = Math.max(wide / width, high / height, 0.8) * 1.02;
    view = { width: width * scale, height: height * scale };
    view.x = (wide - view.width) / 2;
    view.y = (high - view.height) / 2;
    place();
  };
  const zoom = (factor, x = view.x + view.width / 2, y = view.y + view.height / 2) => {
    const width = Math.min(Math.max(view.width * factor, 120), Math.max(wide, high) * 6);
    const by = width / view.width;
    view = { x: x - (x - view.x) * by, y: y - (y - view.y) * by, width, height: view.height * by };
    place();
  };
  const move = (x, y) => {
    view.x += x;
    view.y += y;
    place();
  };
  /** Brings into sight what is not. */
  const reveal = (elements) => {
    if (!elements.length) return;
    const frames = elements.map((element) => element.getBBox());
    const left = Math.min(...frames.map((box) => box.x)) - 40;
    const top = Math.min(...frames.map((box) => box.y)) - 40;
    const right = Math.max(...frames.map((box) => box.x + box.width)) + 40;
    const bottom = Math.max(...frames.map((box) => box.y + box.height)) + 110 * view.height / Math.max(frame().height, 1);
    const scale = frame().width / view.width;
    const isInSight = left >= view.x && top >= view.y && right <= view.x + view.width && bottom <= view.y + view.height;
    if (isInSight && scale > 0.85) return;
    // As large as it is drawn, if there is room for it.
    const grow = Math.max((right - left) / view.width, (bottom - top) / view.height, scale);
    view.width *= grow;
    view.height *= grow;
    view.x = (left + right - view.width) / 2;
    view.y = (top + bottom - view.height) / 2;
    place();
  };
  const pointOf = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());

  picture.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { x, y } = pointOf(event);
    zoom(Math.exp(Math.max(-60, Math.min(event.deltaY, 60)) * 0.004), x, y);
  }, { passive: false });
  let held;
  picture.addEventListener("pointerdown", (event) => {
    if (event.button === 0) held = { x: event.clientX, y: event.clientY, moved: false };
  });
  picture.addEventListener("pointermove", (event) => {
    if (!held || !event.buttons) return;
    const [x, y] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(x, y) < 4) return;
    if (!held.moved) picture.setPointerCapture(event.pointerId);
    picture.classList.add("is-dragged");
    const scale = view.width / frame().width;
    move(-x * scale, -y * scale);
    held = { x: event.clientX, y: event.clientY, moved: true };
  });
  picture.addEventListener("pointerup", () => {
    picture.classList.remove("is-dragged");
    if (!held?.moved) held = undefined;
  });

  // ---- what people do ----

  const indexOf = (element, name) => (element ? Number(element.getAttribute(`data-${name}`)) : -1);
  const meant = (target) => {
    const node = target.closest("[data-node]");
    const edge = target.closest("[data-edge], [data-label]");
    return { node: indexOf(node, "node"), edge: edge ? indexOf(edge, edge.hasAttribute("data-edge") ? "edge" : "label") : -1 };
  };
  picture.addEventListener("click", (event) => {
    if (held?.moved) {
      held = undefined;
      return;
    }
    held = undefined;
    const badge = event.target.closest("a");
    const title = event.target.closest("[data-title]");
    if (badge) {
      event.preventDefault();
      look({ finding: numberOf(badge), tab: "findings" });
    } else if (title) fold_one(indexOf(title, "title"));
    else if (!event.target.closest(".cover")) {
      const { node, edge } = meant(event.target);
      if (node >= 0 || edge >= 0) set({ node, edge });
      else if (state.node >= 0 || state.edge >= 0) set({ node: -1, edge: -1 });
    }
  });
  for (const kind of ["pointerover", "focusin"]) {
    picture.addEventListener(kind, (event) => {
      const { node, edge } = meant(event.target);
      if (!held?.moved) showStory(node >= 0 ? node : edge >= 0 ? -1 : state.node, edge >= 0 ? edge : state.edge);
    });
  }
  picture.addEventListener("pointerleave", () => showStory(state.node, state.edge));
  picture.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.target.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  });
  one("#controls").addEventListener("click", (event) => {
    const act = { in: () => zoom(0.8), out: () => zoom(1.25), all: fit, fold: fold_all }[event.target.dataset.zoom];
    if (act) act();
  });
  one("#skip").addEventListener("click", () => one("[role=tab][aria-selected=true]").focus());
  one("#sides")?.addEventListener("click", (event) => {
    if (event.target.dataset.side !== undefined) set({ side: event.target.dataset.side });
  });
  one("#list")?.addEventListener("click", (event) => {
    const finding = indexOf(event.target.closest(".finding"), "finding");
    const hop = event.target.closest(".hop");
    if (hop) set({ ...nothing, finding, hop: indexOf(hop, "hop") });
    else if (event.target.closest(".opener")) look({ finding: finding === state.finding ? -1 : finding });
  });
  one("#filters")?.addEventListener("change", () => set({
    hidden: all("#filters input").filter((input) => !input.checked).map((input) => input.value),
    family: one("#family").value,
  }));
  one("#filters")?.addEventListener("submit", (event) => event.preventDefault());
  one("#search").addEventListener("input", (event) => set({ search: event.target.value }));
  one("#search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") one("#results .row")?.click();
  });
  one("[role=tablist]").addEventListener("click", (event) => {
    if (event.target.dataset.tab) {
      one("#search").value = "";
      set({ tab: event.target.dataset.tab, search: "" });
    }
  });
  one("[role=tablist]").addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const tabs = all("[role=tab]");
    const next = tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length];
    set({ tab: next.dataset.tab });
    next.focus();
  });
  /** Back, one step at a time. */
  const back = () => {
    if (state.search) look({});
    else if (state.node >= 0 || state.edge >= 0) set({ node: -1, edge: -1 });
    else if (state.hop >= 0) set({ hop: -1 });
    else look({});
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") return back();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return undefined;
    const step = 0.12 * view.width;
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const keys = { "/": () => one("#search").select(), "+": () => zoom(0.8), "=": () => zoom(0.8), "-": () => zoom(1.25), 0: fit, n: () => walk(1), p: () => walk(-1), b: fold_all, c: turn };
    const act = arrows[event.key] && event.target.closest("#canvas") ? () => move(...arrows[event.key]) : keys[event.key];
    if (!act) return undefined;
    event.preventDefault();
    return act();
  });
  addEventListener("hashchange", () => {
    read();
    show();
  });
  let before;
  addEventListener("beforeprint", () => {
    before = view;
    view = { x: 0, y: 0, width: wide, height: high };
    place();
  });
  addEventListener("afterprint", () => {
    view = before ?? view;
    place();
  });
  addEventListener("resize", () => {
    fit();
    show();
  });

  // ---- begin ----

  const reachable = (element, role) => {
    const title = one("title", element);
    if (title) {
      element.setAttribute("aria-label", title.textContent.slice(0, 400));
      title.remove();
    }
    element.setAttribute("role", role);
    element.setAttribute("tabindex", "0");
  };
  for (const element of [...nodes, ...edges]) reachable(element, "button");
  titles.forEach((element, group) => {
    reachable(element, "button");
    element.setAttribute("aria-label", `Box ${data.groups[group].name}`);
  });
  for (const edge of edges) {
    const hit = one(".line", edge).cloneNode();
    hit.setAttribute("class", "hit");
    edge.append(hit);
  }
  document.documentElement.classList.add("is-live");
  one("#tab-flows").textContent = `Flows ${data.flows.length + data.more_flows || ""}`.trim();
  fit();
  read();
  show();
})();
