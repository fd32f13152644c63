import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, type Locator, type Page, test } from "@playwright/test";

const demo = process.env.DEMO!;
const image = path.join(demo, "cohort/images", readdirSync(path.join(demo, "cohort/images")).sort()[0]);
const base = path.basename(image, path.extname(image));
const shots = process.env.SHOTS ?? "test-results/shots";
mkdirSync(shots, { recursive: true });

// Every page must keep to itself: no error, no request to another site.
test.beforeEach(async ({ page, baseURL }) => {
  page.on("pageerror", (e) => expect(e, "an error on the page").toBeUndefined());
  page.on("console", (m) => expect(m.type() === "error" ? m.text() : "", "an error on the console").toBe(""));
  page.on("request", (r) => {
    if (!r.url().startsWith("blob:") && !r.url().startsWith("data:")) expect(r.url()).toContain(baseURL!);
  });
});

async function addCase(page: Page, patient: string): Promise<Locator> {
  await page.goto("/");
  await page.getByLabel("Image (PNG").setInputFiles(image);
  await page.getByLabel("Patient identifier").fill(patient);
  await page.getByRole("button", { name: "Add case" }).click();
  await expect(page.getByRole("heading", { name: `Case ${patient}` })).toBeVisible();
  await expect(page.locator("[data-ready]")).toHaveCount(1);
  return page.locator("canvas");
}

// box is an outline as corners, in shares of the canvas.
async function drawPolygon(page: Page, canvas: Locator, box: number[][]): Promise<void> {
  const at = (await canvas.boundingBox())!;
  for (const [x, y] of box) await page.mouse.click(at.x + x * at.width, at.y + y * at.height);
  await page.getByRole("button", { name: "Close polygon" }).click();
}

function predict(mask: string, picture = image): { score: number | null; abstained: boolean } {
  const out = execFileSync(process.env.SONOTYPE!, ["predict", `${demo}/run/10-bundle/model.sono`, "--image", picture, "--mask", mask, "--json"]);
  return JSON.parse(out.toString());
}

test("an outline drawn by hand is predicted as its export is from the command line", async ({ page }) => {
  const canvas = await addCase(page, "Drawn, by hand");
  await drawPolygon(page, canvas, [[0.42, 0.42], [0.58, 0.4], [0.6, 0.55], [0.5, 0.62], [0.4, 0.55]]);
  await page.getByRole("button", { name: "Brush" }).click();
  const at = (await canvas.boundingBox())!;
  await page.mouse.move(at.x + 0.5 * at.width, at.y + 0.5 * at.height);
  await page.mouse.down();
  await page.mouse.move(at.x + 0.62 * at.width, at.y + 0.5 * at.height, { steps: 4 });
  await page.mouse.up();
  const area = async () => Number((await page.locator("[data-info]").textContent())!.split(" ")[0]);
  const drawn = await area();
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await area()).toBeLessThan(drawn);
  await page.getByRole("button", { name: "Redo" }).click();
  expect(await area()).toBe(drawn);
  for (const button of ["right", "middle"] as const) await page.mouse.click(at.x + 0.8 * at.width, at.y + 0.8 * at.height, { button });
  expect(await area()).toBe(drawn);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export NIfTI" }).click()]);
  const mask = path.join(shots, "drawn.nii");
  await download.saveAs(mask);
  await page.getByRole("button", { name: "Save outline" }).click();
  await page.getByRole("button", { name: "Predict" }).click();
  await expect(page.getByRole("heading", { name: "Prediction" })).toBeVisible();
  const said = predict(mask);
  if (said.abstained) {
    await expect(page.getByText("The model gives no answer")).toBeVisible();
  } else {
    expect(Number(await page.locator("[data-score]").getAttribute("data-score"))).toBe(said.score);
  }
  await page.screenshot({ path: path.join(shots, "drawn.png"), fullPage: true });
});

test("a radiologist's outline is imported, predicted, compared, printed", async ({ page }) => {
  const canvas = await addCase(page, "Imported");
  const mask = path.join(demo, "cohort/masks", `${base}.nii.gz`);
  await page.getByLabel("Import outline").setInputFiles(mask);
  await expect(page.locator("[data-info]")).not.toHaveText("0 px");
  await page.getByRole("button", { name: "Save outline" }).click();
  await page.getByRole("button", { name: "Predict" }).click();
  const said = predict(mask);
  expect(said.abstained).toBe(false);
  expect(Number(await page.locator("[data-score]").getAttribute("data-score"))).toBe(said.score);
  await page.getByLabel("Measured by biopsy").fill("3");
  await page.getByRole("button", { name: "Enter" }).click();
  await expect(page.getByText("The measured value (3) and the model")).toBeVisible();
  await page.screenshot({ path: path.join(shots, "imported.png"), fullPage: true });

  await page.reload();
  await expect(page.locator("[data-ready]")).toHaveCount(1);
  await page.getByLabel("Import outline").setInputFiles(mask);
  await page.getByLabel("Compare with").selectOption({ index: 1 });
  await expect(page.locator("[data-info]")).toContainText("Dice 1.000");
  await drawPolygon(page, canvas, [[0.1, 0.1], [0.2, 0.1], [0.2, 0.2]]);
  await expect(page.locator("[data-info]")).toContainText("Dice 0.");
  await page.getByRole("link", { name: "Case report" }).click();
  await expect(page.getByRole("heading", { name: "Case report" })).toBeVisible();
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: path.join(shots, "report.png"), fullPage: true });
});

test("an outline can be drawn with the keyboard alone", async ({ page }) => {
  const canvas = await addCase(page, "Keys");
  await canvas.focus();
  const go = async (key: string, times: number) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await page.keyboard.press("Enter");
  await go("Shift+ArrowRight", 6);
  await page.keyboard.press("Enter");
  await go("Shift+ArrowDown", 5);
  await page.keyboard.press("Enter");
  await page.keyboard.press("c");
  await expect(page.locator("[data-info]")).toHaveText(/^1[45]\d\d px$/); // a triangle of 60 x 50 px
  await page.keyboard.press("z");
  await expect(page.locator("[data-info]")).toHaveText("0 px");
});

test("the pages exist in Chinese", async ({ page }) => {
  await page.goto("/model?lang=zh");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh");
  await expect(page.getByRole("heading", { level: 1 })).toContainText("模型");
  await page.screenshot({ path: path.join(shots, "model-zh.png"), fullPage: true });
  await page.goto("/audit");
  await expect(page.getByText("日志完整")).toBeVisible();
  await page.goto("/?lang=en");
});
