// Puts what the server sends in its place. Without this file the page reloads
// itself instead.
"use strict";

(() => {
  const link = document.getElementById("link");
  const body = document.getElementById("trials");
  const most = Number(document.body.dataset.rows);

  // Times come in UTC and are shown in the viewer's own zone.
  const localize = (root) => {
    for (const t of root.querySelectorAll("time")) {
      const at = new Date(t.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      t.textContent = today
        ? at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
        : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    }
  };

  const say = (text) => {
    link.textContent = text;
    link.hidden = !text;
  };

  const put = (name, html) => {
    const part = document.getElementById(name);
    if (!part) return;
    const open = part.querySelector("details")?.open;
    part.innerHTML = html;
    const details = part.querySelector("details");
    if (details && open) details.open = true;
    localize(part);
  };

  const putRow = ({ id, html }) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    const row = template.content.firstElementChild;
    const old = document.getElementById(id);
    if (old) {
      old.replaceWith(row);
    } else {
      row.classList.add("new");
      body.prepend(row);
    }
  };

  localize(document);
  const events = new EventSource("/events?since=" + encodeURIComponent(document.body.dataset.seen));
  events.onopen = () => say("");
  events.onmessage = (e) => {
    const { parts, rows } = JSON.parse(e.data);
    for (const [name, html] of Object.entries(parts)) put(name, html);
    rows.forEach(putRow);
    while (body.rows.length > most) body.lastElementChild.remove();
    if (parts.head) document.title = document.querySelector("h1").textContent + " · soup";
  };
  events.addEventListener("end", () => {
    events.close();
    say("This page has ended. soup watch opens it again.");
  });
  events.onerror = () =>
    say(events.readyState === EventSource.CLOSED
      ? "No connection. Reload the page, or open the link again that soup printed."
      : "Connection lost; trying again.");
})();
