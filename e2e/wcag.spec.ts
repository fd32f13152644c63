import { readdirSync } from "node:fs";
import path from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { expect, type Page, test } from "@playwright/test";

const demo = process.env.DEMO!;
const images = path.join(demo, "cohort/images");
const image = path.join(images, readdirSync(images).sort()[1]);

async function sound(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]).analyze();
  expect(violations.map((v) => `${what}: ${v.id}: ${v.nodes[0].html}`)).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`every page meets WCAG AA, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto("/");
    await page.getByLabel("Image (PNG").setInputFiles(image);
    await page.getByRole("button", { name: "Add case" }).click();
    await expect(page.locator("[data-ready]")).toHaveCount(1);
    await page.getByLabel("Import outline").setInputFiles(path.join(demo, "cohort/masks", `${path.parse(image).name}.nii.gz`));
    await page.getByRole("button", { name: "Save outline" }).click();
    await page.getByRole("button", { name: "Predict" }).click();
    await expect(page.getByRole("heading", { name: "Prediction" })).toBeVisible();
    await sound(page, "case");
    const where = new URL(page.url()).pathname;
    for (const url of [`${where}/report`, "/", "/model", "/model?lang=zh", "/audit?lang=en", "/login", "/nothing"]) {
      await page.goto(url);
      await sound(page, url);
    }
  });
}
