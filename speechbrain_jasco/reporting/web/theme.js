// Light or dark, the paper's colours or safe ones.
function setTheme(theme) {
  root.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
}
function toggleTheme() {
  setTheme(root.dataset.theme === "dark" ? "light" : "dark");
  store("jasco-theme", root.dataset.theme);
}
const night = matchMedia("(prefers-color-scheme: dark)");
setTheme(stored("jasco-theme") ?? (night.matches ? "dark" : "light"));
night.addEventListener("change", () => {
  if (!stored("jasco-theme")) setTheme(night.matches ? "dark" : "light");
});
byId("theme").addEventListener("click", toggleTheme);
byId("colours").addEventListener("change", (event) => {
  root.dataset.colours = event.target.value;
});
