"use strict";

// Invisible characters are told by their names, as the terminal does: nothing may
// reorder a line, or hide in it.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const CUT = 20000;

function named(character) {
  if (character === "\n" || character === "\t") return character;
  const code = character.codePointAt(0);
  if (character === "\r") return "\\r";
  if (code < 0x100) return "\\x" + code.toString(16).padStart(2, "0");
  if (code < 0x10000) return "\\u" + code.toString(16).padStart(4, "0");
  return "\\U" + code.toString(16).padStart(8, "0");
}

function shown(text) {
  return String(text).replace(HIDDEN, named);
}

// Text is only ever set as text: nothing here reads markup.
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = shown(value);
    else if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// A block of text as it was said; a very long one is cut until somebody asks.
function said(text, className) {
  const block = make("pre", { class: className || "said", text: text.slice(0, CUT) });
  if (text.length <= CUT) return block;
  const more = make("button", {
    type: "button",
    class: "more",
    text: "Show all " + count(text.length) + " characters",
    onclick: () => {
      block.textContent = shown(text);
      more.remove();
    },
  });
  return make("div", {}, block, more);
}

function count(number) {
  return number.toLocaleString("en-US");
}

function spaced(word) {
  return word.replaceAll("_", " ");
}

function money(usd) {
  if (usd === undefined || usd === null) return "";
  if (usd === 0) return "$0";
  return "$" + (usd >= 0.01 ? usd.toFixed(2) : usd.toFixed(6).replace(/0+$/, ""));
}

function duration(seconds) {
  if (seconds === undefined || seconds === null) return "";
  return seconds >= 10 ? seconds.toFixed(0) + " s" : seconds.toFixed(2) + " s";
}
