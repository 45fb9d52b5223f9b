// The page's own part: reads the data, filters, opens.

const DATA = JSON.parse(document.getElementById("data").textContent);
DATA.cases.forEach((one, at) => {
  one.at = at;
});

const element = (id) => document.getElementById(id);
const filters = document.querySelector(".filters");
const find = element("find");
const story = new Story(element("story"), DATA, (one, step) => table.beside(one, step));
const table = new Table(element("grid"), DATA.cases, open);

const FILTERS = {
  outcome: (one) => one.outcome,
  mark: (one) => one.mark,
  variant: (one) => one.variant,
  cause: (one) => one.cause || (one.outcome === "failed" ? "not probed" : "none"),
};

// -- filters

function choices() {
  for (const [name, value] of Object.entries(FILTERS)) {
    const counts = new Map();
    for (const one of DATA.cases) {
      counts.set(value(one), (counts.get(value(one)) || 0) + 1);
    }
    const options = [...counts].map(([word, times]) =>
      make("option", { value: word, text: spaced(word) + " (" + count(times) + ")" }),
    );
    const all = make("option", { value: "", text: "all" });
    element("by-" + name).replaceChildren(all, ...options);
  }
}

// Everything that can be found of a case, in small letters; made once, when needed.
function haystack(one) {
  if (one.haystack === undefined) {
    const prompt = DATA.prompts[one.prompt];
    const said = [...(one.trials || []), ...Object.values(one.arms || {}).flat()];
    one.haystack = [
      one.nodeid,
      one.why,
      one.message,
      one.story,
      ...(prompt ? prompt.messages.map((turn) => turn[1]) : []),
      ...said.map((answer) => answer.text),
    ]
      .filter(Boolean)
      .join("\n")
      .toLowerCase();
  }
  return one.haystack;
}

function filter() {
  const wanted = Object.entries(FILTERS)
    .map(([name, value]) => [element("by-" + name).value, value])
    .filter(([word]) => word);
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = DATA.cases.filter(
    (one) =>
      wanted.every(([word, value]) => value(one) === word) &&
      words.every((word) => haystack(one).includes(word)),
  );
  table.show(rows);
  const all = DATA.cases.length;
  const some = rows.length === all ? "All " : count(rows.length) + " of ";
  element("status").textContent = some + count(all) + (all === 1 ? " case" : " cases");
}

function only(chosen) {
  filters.reset();
  find.value = "";
  for (const [name, word] of Object.entries(chosen)) element("by-" + name).value = word;
  filter();
  element("cases").scrollIntoView();
  element("grid").focus({ preventScroll: true });
}

// -- one case

function open(one) {
  story.open(one);
}

function opened() {
  const found = /^#case-(\d+)$/.exec(location.hash);
  const one = found && DATA.cases[Number(found[1]) - 1];
  if (one) open(one);
}

// -- hands

choices();
filters.hidden = false;
filters.addEventListener("input", filter);
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => setTimeout(filter));
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.cause) only({ cause: button.dataset.cause, variant: button.dataset.variant });
  else if (button.dataset.case) open(DATA.cases[button.dataset.case]);
});
document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
  if (event.key !== "/" || typing || element("story").open) return;
  event.preventDefault();
  find.focus();
});
element("story").addEventListener("close", () => element("grid").focus({ preventScroll: true }));
addEventListener("hashchange", opened);
filter();
opened();
document.documentElement.dataset.ready = "yes";
