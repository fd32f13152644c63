# ROC, DeLong, calibration, lowess, Wilson intervals and net benefit for evaluate. Run from the root: Rscript oracles/evaluate_scores.R
suppressMessages({library(jsonlite); library(pROC); library(rms)})
set.seed(67)
netbenefit <- function(p, y, pt) mean(p > pt & y == 1) - mean(p > pt & y == 0) * pt / (1 - pt)
wilson <- function(k, n) as.numeric(prop.test(k, n, correct = FALSE)$conf.int)
dataset <- function(name, y, p, q) {
  r1 <- roc(y, p, direction = "<", levels = 0:1, quiet = TRUE); r2 <- roc(y, q, direction = "<", levels = 0:1, quiet = TRUE)
  ci <- as.numeric(ci.auc(r1, method = "delong")); test <- roc.test(r1, r2, method = "delong", paired = TRUE)
  ok <- p > 0 & p < 1; lp <- qlogis(p[ok]); ctrl <- glm.control(epsilon = 1e-15, maxit = 200)
  slope <- summary(glm(y[ok] ~ lp, family = binomial, control = ctrl))$coefficients
  offset <- summary(glm(y[ok] ~ 1 + offset(lp), family = binomial, control = ctrl))$coefficients
  v <- suppressWarnings(val.prob(p, y, pl = FALSE)); s <- lowess(p, y, iter = 0)
  t <- sort(p)[ceiling(length(p) / 3)]
  tp <- sum(p > t & y == 1); fp <- sum(p > t & y == 0); fn <- sum(p <= t & y == 1); tn <- sum(p <= t & y == 0)
  w <- suppressWarnings(wilcox.test(p[y == 1], p[y == 0]))
  grid <- c(.05, .1, .2, .35, .5, .6, .8, .9)
  best <- coords(r1, "best", best.method = "youden", transpose = FALSE)
  set.seed(1); boot <- as.numeric(suppressWarnings(ci.auc(r1, method = "bootstrap", boot.n = 4000, progress = "none")))
  list(name = name, label = y, p = p, q = q, auc = ci[2], lo = ci[1], hi = ci[3], variance = var(r1), auc2 = as.numeric(r2$auc),
    paired_z = unname(test$statistic), paired_p = test$p.value, sens = r1$sensitivities, spec = r1$specificities,
    youden = I(best$threshold), bootstrap = boot[c(1, 3)],
    slope = slope["lp", 1:2], slope_intercept = slope[1, 1:2], intercept = offset[1, 1:2],
    valprob = as.list(v[c("Brier", "Slope", "Intercept", "Emax", "E90", "Eavg", "S:z", "S:p")]), lowess_x = s$x, lowess_y = s$y,
    threshold = t, tp = tp, fp = fp, tn = tn, fn = fn, acc_ci = wilson(tp + tn, length(y)), sens_ci = wilson(tp, tp + fn),
    wilcoxon_w = unname(w$statistic), wilcoxon_p = w$p.value,
    density = sapply(seq(0, 1, .1), function(g) mean(dnorm(g, p[y == 1], bw.nrd0(p[y == 1])))),
    grid = grid, nb = sapply(grid, function(g) netbenefit(p, y, g)), nb_all = sapply(grid, function(g) mean(y) - (1 - mean(y)) * g / (1 - g)))
}
make <- function(n, prevalence, strength, digits) {
  y <- rbinom(n, 1, prevalence); lp <- rnorm(n) + strength * y - .3
  list(y = y, p = round(plogis(lp), digits), q = round(plogis(.6 * lp + rnorm(n)), digits))
}
a <- make(239, .66, 1.2, 5); b <- make(60, .4, .8, 1); k <- make(133, .7, .9, 4)
k$p <- round(k$p * 5) / 5; e <- make(30, .5, 1.5, 6); f <- make(400, .2, .5, 2)
sets <- list(dataset("internal-like", a$y, a$p, a$q), dataset("ties, one decimal", b$y, b$p, b$q), dataset("KNN-like with 0 and 1", k$y, k$p, k$q),
  dataset("small, exact Wilcoxon", e$y, e$p, e$q), dataset("worse than chance", f$y, round(1 - f$p, 2), f$q))
v <- function(p) as.character(packageVersion(p))
write_json(list(recipe = "oracles/evaluate_scores.R", versions = list(R = as.character(getRversion()), pROC = v("pROC"), rms = v("rms")),
  tolerance = 1e-10, reason = "same closed forms in float64; glm is converged to 1e-15; 1e-3 for val.prob's slope and intercept, whose fit stops early; .01 for the bootstrap, another random stream",
  sets = sets), "evaluate/testdata/oracle/scores.json", digits = NA, auto_unbox = TRUE)
