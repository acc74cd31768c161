(function () {
  "use strict";
  var script = document.currentScript;
  if (!script || !script.parentNode) return;
  var frame = document.createElement("iframe");
  frame.src = "__URL__?t=" + encodeURIComponent(script.getAttribute("data-token") || "");
  frame.title = script.getAttribute("data-title") || "Shop";
  frame.loading = "lazy";
  frame.setAttribute("sandbox", "allow-forms allow-scripts allow-popups allow-popups-to-escape-sandbox");
  frame.style.width = "100%";
  frame.style.height = (parseInt(script.getAttribute("data-height"), 10) || 720) + "px";
  frame.style.border = "0";
  script.parentNode.insertBefore(frame, script.nextSibling);
  function follow() {
    frame.style.colorScheme = script.getAttribute("data-color-scheme") || "";
    if (getComputedStyle(frame).colorScheme === "normal") frame.style.colorScheme = "light";
  }
  follow();
  window.addEventListener("load", follow);
})();
