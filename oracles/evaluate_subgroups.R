# AUCs by subgroup with Cochran's Q, and the likelihood-ratio test of a score-by-subgroup interaction, for evaluate.
# Run from the root: Rscript oracles/evaluate_subgroups.R
suppressMessages({library(jsonlite); library(pROC)})
set.seed(11)
dataset <- function(name, y, p, g, k) {
  by <- lapply(seq_len(k) - 1, function(l) { r <- roc(y[g == l], p[g == l], direction = "<", levels = 0:1, quiet = TRUE)
    ci <- as.numeric(ci.auc(r, method = "delong")); list(n = sum(g == l), positive = sum(y[g == l]), auc = ci[2], lo = ci[1], hi = ci[3], var = var(r)) })
  auc <- sapply(by, `[[`, "auc"); w <- 1 / sapply(by, `[[`, "var"); q <- sum(w * (auc - sum(w * auc) / sum(w))^2)
  ok <- g >= 0 & p > 0 & p < 1; lp <- qlogis(p[ok]); f <- factor(g[ok]); ctrl <- glm.control(epsilon = 1e-15, maxit = 200)
  a <- glm(y[ok] ~ lp + f, family = binomial, control = ctrl); b <- glm(y[ok] ~ lp * f, family = binomial, control = ctrl)
  lr <- anova(a, b, test = "LRT")
  list(name = name, label = y, p = p, group = g, levels = by, q = q, q_p = pchisq(q, k - 1, lower.tail = FALSE),
    lr = lr$Deviance[2], lr_p = lr$`Pr(>Chi)`[2])
}
make <- function(n, k, slope, digits) { g <- sample(0:(k - 1), n, TRUE); y <- rbinom(n, 1, .5)
  list(y = y, g = g, p = round(plogis(rnorm(n) + slope[g + 1] * (y - .5)), digits)) }
a <- make(239, 2, c(1.5, .5), 5); b <- make(300, 3, c(1, 1, 1), 3); d <- make(133, 4, c(2, .2, 1, .6), 2)
b$g[1:17] <- -1
d$p[d$p == 1] <- .99; d$p[c(3, 20)] <- 1; d$p[8] <- 0
sets <- list(dataset("two devices, unlike", a$y, a$p, a$g, 2), dataset("three, alike, some unknown", b$y, b$p, b$g, 3), dataset("four, ties, certain", d$y, d$p, d$g, 4))
write_json(list(recipe = "oracles/evaluate_subgroups.R", versions = list(R = as.character(getRversion()), pROC = as.character(packageVersion("pROC"))),
  tolerance = 1e-9, reason = "the same formulas in float64; both fits converge to about 1e-15 of the deviance", sets = sets),
  "evaluate/testdata/oracle/subgroups.json", digits = NA, auto_unbox = TRUE)
