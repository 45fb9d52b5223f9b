// The list of cases: only the rows in sight are in the document.

const BEYOND = 8;
const PRINTED = 300;
const ORDER = ["failed", "error", "skipped", "passed"];

// What no case has is no column.
const COLUMNS = [
  { name: "case", width: "minmax(11rem, 2.4fr)", value: (one) => one.id },
  { name: "mark", width: "6.5rem", value: (one) => one.mark },
  { name: "variant", width: "minmax(5rem, 0.9fr)", value: (one) => one.variant, several: true },
  { name: "cause", width: "8rem", value: (one) => one.cause || "~", several: true },
  { name: "finding", width: "minmax(8rem, 3.4fr)", value: (one) => one.why || "~" },
  { name: "time", width: "4.5rem", number: true, value: (one) => sum(one, (trial) => trial.seconds) },
  { name: "cost", width: "5.5rem", number: true, value: (one) => sum(one, (trial) => trial.usd) },
];

const CELLS = {
  case: (one) => [
    make("span", { class: "outcome " + one.outcome, title: one.outcome }, outcomeWord(one)),
    make("span", { class: "id", text: one.id }),
    make("span", { class: "place", text: one.file + ":" + one.line }),
  ],
  mark: (one) => [spot(one.mark), one.mark],
  variant: (one) => [shown(one.variant)],
  cause: (one) => [one.cause ? make("span", { class: "cause " + one.cause, text: spaced(one.cause) }) : ""],
  finding: (one) => [shown(one.why || "")],
  time: (one) => [duration(COLUMNS[5].value(one))],
  cost: (one) => [money(COLUMNS[6].value(one))],
};

function columnsOf(cases) {
  return COLUMNS.filter((column) => {
    if (column.number) return cases.some((one) => column.value(one));
    if (!column.several) return true;
    return new Set(cases.map(column.value)).size > 1;
  });
}

function sum(one, value) {
  const known = (one.trials || []).map(value).filter((number) => number !== undefined);
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
}

class Table {
  constructor(grid, cases, open) {
    this.grid = grid;
    this.cases = cases;
    this.rows = cases;
    this.open = open;
    this.active = 0;
    this.sorted = { column: null, down: false };
    this.frame = 0;
    this.printing = false;
    this.columns = columnsOf(cases);
    grid.style.setProperty("--columns", this.columns.map((column) => column.width).join(" "));
    this.head = this.header();
    this.body = make("div", { class: "body", role: "rowgroup" });
    grid.append(this.head, this.body);
    grid.hidden = false;
    grid.addEventListener("scroll", () => this.later(), { passive: true });
    grid.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("click", (event) => this.click(event));
    new ResizeObserver(() => this.later()).observe(grid);
    addEventListener("beforeprint", () => this.print(true));
    addEventListener("afterprint", () => this.print(false));
  }

  header() {
    const cells = this.columns.map((column, at) => {
      const button = make("button", { type: "button", text: column.name, tabindex: 0 });
      button.addEventListener("click", () => this.sortBy(at));
      const side = column.number ? " number" : "";
      return make("span", { role: "columnheader", class: "of-" + column.name + side }, button);
    });
    return make(
      "div",
      { class: "head", role: "rowgroup" },
      make("div", { class: "row", role: "row", "aria-rowindex": 1 }, ...cells),
    );
  }

  show(rows) {
    this.rows = this.inOrder(rows);
    this.active = 0;
    this.grid.setAttribute("aria-rowcount", rows.length + 1);
    this.grid.scrollTop = 0;
    this.render();
  }

  // -- order

  sortBy(at) {
    const again = this.sorted.column === at;
    this.sorted = { column: at, down: again && !this.sorted.down };
    this.head.querySelectorAll("[role=columnheader]").forEach((cell, number) => {
      if (number !== at) cell.removeAttribute("aria-sort");
      else cell.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
    });
    this.show(this.rows);
  }

  inOrder(rows) {
    const column = this.columns[this.sorted.column];
    if (!column) {
      const rank = (one) => 2 * ORDER.indexOf(one.outcome) + (one.cause ? 0 : 1);
      return [...rows].sort((a, b) => rank(a) - rank(b) || a.at - b.at);
    }
    const way = this.sorted.down ? -1 : 1;
    const keyed = rows.map((one) => [column.value(one), one]);
    const compare = column.number ? byNumber : byText;
    keyed.sort((a, b) => way * compare(a[0], b[0]) || a[1].at - b[1].at);
    return keyed.map((pair) => pair[1]);
  }

  // -- what is in sight

  later() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.render());
  }

  render() {
    this.frame = 0;
    if (this.printing) return;
    const height = this.height();
    const above = Math.floor(this.grid.scrollTop / height) - BEYOND;
    const fitting = Math.ceil(this.grid.clientHeight / height) + 2 * BEYOND;
    const first = Math.max(0, above);
    const last = Math.min(this.rows.length, first + fitting);
    this.body.style.height = this.rows.length * height + "px";
    this.body.replaceChildren(...this.slice(first, last));
    for (const row of this.body.children) row.style.top = row.dataset.at * height + "px";
    this.mark();
  }

  height() {
    return parseFloat(getComputedStyle(this.grid).getPropertyValue("--row"));
  }

  slice(first, last) {
    const rows = [];
    for (let at = first; at < last; at++) rows.push(this.row(this.rows[at], at));
    return rows;
  }

  row(one, at) {
    const cells = this.columns.map((column) =>
      make("span", { class: "of-" + column.name + (column.number ? " number" : "") }, ...CELLS[column.name](one)),
    );
    cells.forEach((cell) => cell.setAttribute("role", "gridcell"));
    const row = make("div", { class: "row", role: "row", id: "row-" + at }, ...cells);
    row.dataset.at = at;
    row.setAttribute("aria-rowindex", at + 2);
    return row;
  }

  // -- hands

  mark() {
    for (const row of this.body.children) {
      const is = Number(row.dataset.at) === this.active;
      row.classList.toggle("active", is);
      row.setAttribute("aria-selected", is);
    }
    if (this.rows.length) this.grid.setAttribute("aria-activedescendant", "row-" + this.active);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  move(to) {
    if (!this.rows.length) return;
    this.active = Math.max(0, Math.min(this.rows.length - 1, to));
    const height = this.height();
    const top = this.active * height;
    const room = this.grid.clientHeight - this.head.offsetHeight - height;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top > this.grid.scrollTop + room) this.grid.scrollTop = top - room;
    this.render();
  }

  key(event) {
    if (event.target !== this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / this.height()) - 2);
    const steps = {
      ArrowDown: this.active + 1,
      ArrowUp: this.active - 1,
      PageDown: this.active + page,
      PageUp: this.active - page,
      Home: 0,
      End: this.rows.length - 1,
    };
    if (event.key in steps) this.move(steps[event.key]);
    else if ((event.key === "Enter" || event.key === " ") && this.rows.length) {
      this.open(this.rows[this.active]);
    } else return;
    event.preventDefault();
  }

  click(event) {
    const row = event.target.closest(".row");
    if (!row || String(getSelection())) return;
    this.move(Number(row.dataset.at));
    this.open(this.rows[this.active]);
  }

  // The neighbour of a case in the order that is shown, or nothing.
  beside(one, step) {
    return this.rows[this.rows.indexOf(one) + step];
  }

  // -- paper

  print(on) {
    this.printing = on;
    this.grid.classList.toggle("printing", on);
    if (!on) {
      this.render();
      return;
    }
    const left = this.rows.length - PRINTED;
    this.body.style.height = "auto";
    this.body.replaceChildren(...this.slice(0, Math.min(PRINTED, this.rows.length)));
    if (left > 0) {
      this.body.append(make("p", { class: "quiet", text: "and " + count(left) + " more" }));
    }
  }
}

function spot(mark) {
  return make("span", { class: "spot " + mark, "aria-hidden": "true" });
}

function outcomeWord(one) {
  return make("span", { class: "word", text: one.outcome });
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

function byText(a, b) {
  return COLLATOR.compare(a, b);
}

// What is not known comes last, whichever way.
function byNumber(a, b) {
  if (a === null || b === null) return (a === null) - (b === null);
  return a - b;
}
