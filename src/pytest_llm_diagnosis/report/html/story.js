// One case: what was asked, and all answers side by side.

class Story {
  constructor(dialog, data, beside) {
    this.dialog = dialog;
    this.data = data;
    this.beside = beside;
    this.alike = new Map();
    for (const one of data.cases) {
      const key = one.file + "\0" + one.id;
      if (!this.alike.has(key)) this.alike.set(key, []);
      this.alike.get(key).push(one);
    }
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  open(one) {
    this.one = one;
    const title = make("h2", { id: "story-title", text: one.id, tabindex: -1 });
    this.dialog.replaceChildren(
      make("header", {}, title, this.steps()),
      make("div", { class: "inner" }, ...this.told(one)),
    );
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.scrollTop = 0;
    title.focus({ preventScroll: true });
  }

  steps() {
    const step = (name, by, key) => {
      const there = this.beside(this.one, by);
      return make("button", {
        type: "button",
        text: name,
        disabled: !there,
        title: "key " + key,
        "aria-keyshortcuts": key,
        onclick: () => this.step(by),
      });
    };
    return make(
      "nav",
      { "aria-label": "Cases" },
      step("Previous", -1, "k"),
      step("Next", 1, "j"),
      make("button", {
        type: "button",
        title: "key Escape",
        text: "Close",
        onclick: () => this.dialog.close(),
      }),
    );
  }

  step(by) {
    const there = this.beside(this.one, by);
    if (there) this.open(there);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "j") this.step(1);
    else if (event.key === "k") this.step(-1);
  }

  // -- the parts

  told(one) {
    return [
      this.facts(one),
      one.story ? make("p", { class: "because" }, ...this.because(one)) : null,
      one.message ? make("p", { class: "because", text: one.message }) : null,
      this.asked(one),
      make("h3", { text: "Answers" }),
      side("Answers", this.columns(one)),
      ...this.others(one),
    ].filter(Boolean);
  }

  facts(one) {
    const more = [];
    if (one.cluster && one.cluster !== one.file) more.push("cluster " + one.cluster);
    if (one.critical) more.push("critical");
    if (one.costume) more.push("in the other side's costume");
    if (one.retrieved) more.push(one.retrieved);
    if (one.pass_at) more.push(one.pass_at + " of " + one.trials.length + " trials needed");
    return make(
      "p",
      { class: "facts" },
      make("span", { class: "outcome " + one.outcome }, outcomeWord(one)),
      make("span", {}, spot(one.mark), one.mark),
      make("span", { text: one.variant }),
      make("span", { class: "quiet", text: one.file + ":" + one.line }),
      ...more.map((text) => make("span", { class: "quiet", text })),
    );
  }

  because(one) {
    const rest = one.story.slice(one.cause.length);
    return [
      make("span", { class: "cause " + one.cause, text: spaced(one.cause) }),
      make("span", { text: rest }),
    ];
  }

  asked(one) {
    const prompt = one.prompt === undefined ? null : this.data.prompts[one.prompt];
    if (!prompt) return null;
    const turns = prompt.messages.map(([role, text]) =>
      make("div", { class: "turn" }, make("h4", { text: role }), said(text)),
    );
    if (prompt.ideal) {
      turns.push(
        make("div", { class: "turn ideal" }, make("h4", { text: "reference" }), said(prompt.ideal)),
      );
    }
    return make("div", { class: "asked" }, ...turns);
  }

  columns(one) {
    const trials = one.trials || [];
    const first = trials[trials.length - 1];
    const columns = [this.column("", "first answer", trials, null)];
    for (const [arm, asks] of Object.entries(one.arms || {})) {
      columns.push(this.column(arm, this.data.asked[arm], asks, first));
    }
    for (const arm of one.untested || []) {
      columns.push(this.column(arm, this.data.asked[arm] || "", [], first));
    }
    return columns;
  }

  column(arm, how, answers, first) {
    const badge = arm ? make("span", { class: "arm", text: arm }) : null;
    const head = make("h4", {}, badge, make("span", { text: how }));
    const none = answers.length ? null : make("p", { class: "quiet", text: "could not be asked" });
    const cards = answers.map((answer) => this.answer(answer, first));
    return make("section", { class: "column" }, head, none, ...cards);
  }

  answer(answer, first) {
    const bits = ["facts", "form", "limits"].map((part) => this.bit(part, answer)).filter(Boolean);
    const parts = [make("p", { class: "bits" }, ...bits)];
    if (answer.error) parts.push(make("p", { class: "lost", text: answer.error }));
    else if (answer.lost) parts.push(make("p", { class: "lost", text: "no answer" }));
    if (answer.text !== undefined) {
      const same = first && first.text === answer.text && answer.text !== "";
      if (same) parts.push(make("p", { class: "same", text: "the same text as the first answer" }));
      if (answer.text || !answer.calls) parts.push(said(answer.text || "(no text)"));
    }
    for (const call of answer.calls || []) parts.push(said(call, "said call"));
    parts.push(...this.verdicts(answer), this.passages(answer), this.spent(answer));
    return make("article", { class: "answer" }, ...parts);
  }

  bit(part, answer) {
    let right = answer[part + "_right"];
    if (right === undefined) {
      const seen = (answer[part] || []).map((verdict) => verdict[1]);
      if (!seen.length) return null;
      right = seen.includes(false) ? false : seen.includes(null) ? null : true;
    }
    const word = right === null ? "not graded" : right ? "right" : "wrong";
    return make("span", { class: "bit " + word.replace(" ", "-"), text: part + " " + word });
  }

  verdicts(answer) {
    const all = ["facts", "form", "limits"].flatMap((part) => answer[part] || []);
    if (!all.length) return [];
    const rows = all.map(([check, passed, code, reason, judged]) =>
      make(
        "li",
        { class: passed === true ? "right" : passed === false ? "wrong" : "not-graded" },
        make("code", { text: (passed === true ? check : code || check) + (judged ? " (judge)" : "") }),
        reason ? make("span", { text: reason }) : null,
      ),
    );
    return [make("ul", { class: "verdicts" }, ...rows)];
  }

  passages(answer) {
    const places = answer.contexts || [];
    if (!places.length) return null;
    const blocks = places.map((place) => {
      const [source, text] = this.data.passages[place];
      return make("div", {}, make("h5", { text: source || "passage" }), said(text));
    });
    const name = places.length === 1 ? "1 passage shown" : places.length + " passages shown";
    return make("details", {}, make("summary", { text: name }), ...blocks);
  }

  spent(answer) {
    const parts = [];
    if (answer.tokens) {
      const [prompt, completion, cached] = answer.tokens;
      const kept = cached ? " (" + count(cached) + " cached)" : "";
      parts.push(count(prompt) + kept + " + " + count(completion) + " tokens");
    }
    if (answer.seconds !== undefined) parts.push(duration(answer.seconds));
    if (answer.usd !== undefined) parts.push(money(answer.usd));
    if (answer.saved > 0) parts.push("the cache saved " + money(answer.saved));
    if (answer.saved < 0) parts.push("the cache cost " + money(-answer.saved) + " more");
    if (answer.stored) parts.push("stored");
    if (answer.finish) parts.push("ended by " + answer.finish);
    return parts.length ? make("p", { class: "spent", text: parts.join(", ") }) : null;
  }

  others(one) {
    const others = this.alike.get(one.file + "\0" + one.id).filter((other) => other !== one);
    if (!others.length) return [];
    const columns = others.map((other) => {
      const open = make("button", {
        type: "button",
        class: "link",
        text: other.variant,
        onclick: () => this.open(other),
      });
      const head = make(
        "h4",
        {},
        make("span", { class: "outcome " + other.outcome }, outcomeWord(other)),
        open,
        other.cause ? make("span", { class: "cause " + other.cause, text: spaced(other.cause) }) : null,
      );
      const cards = (other.trials || []).map((answer) => this.answer(answer, null));
      const why = cards.length ? null : make("p", { class: "quiet", text: other.message || "" });
      return make("section", { class: "column" }, head, why, ...cards);
    });
    return [
      make("h3", { text: "The same case under other variants" }),
      side("Answers of other variants", columns),
    ];
  }
}

// Columns beside each other, which keys can scroll too.
function side(name, columns) {
  const properties = { class: "answers", role: "region", tabindex: 0, "aria-label": name };
  return make("div", properties, ...columns);
}
