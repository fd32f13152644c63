# Kaplan-Meier, log-rank, Cox and concordance from R's survival. Run from the root with SONOTYPE_DATA set:
#   SONOTYPE_DATA=... Rscript oracles/survival_models.R
# Writes survival/testdata/lung.csv (survival::lung, Loprinzi et al 1994) and survival/testdata/oracle/*.json.
suppressMessages({library(jsonlite); library(survival)})
data_dir <- file.path(Sys.getenv("SONOTYPE_DATA"), "tables")
km <- function(time, event, type, at) {
  f <- survfit(Surv(time, event) ~ 1, conf.type = type); s <- summary(f, times = at, extend = TRUE); q <- quantile(f, .5)
  list(time = at, surv = s$surv, se = s$std.err, lo = s$lower, hi = s$upper, n_risk = s$n.risk, median = unname(q$quantile), median_lo = unname(q$lower), median_hi = unname(q$upper))
}
cox <- function(d, vars) {
  f <- coxph(as.formula(paste("Surv(time, event) ~", paste(vars, collapse = " + "))), d, ties = "efron", control = coxph.control(eps = 1e-11, toler.chol = 1e-13, iter.max = 50))
  s <- summary(f); con <- concordance(f)
  list(vars = I(vars), coef = I(unname(coef(f))), se = I(sqrt(diag(as.matrix(vcov(f))))), p = I(unname(s$coefficients[, 5])), lo = I(unname(s$conf.int[, 3])), hi = I(unname(s$conf.int[, 4])),
    loglik = f$loglik, lr = unname(s$logtest[1]), wald = unname(f$wald.test), score = unname(f$score), lr_p = unname(s$logtest[3]), concordance = unname(con$concordance))
}
conc <- function(time, event, x) { k <- concordance(Surv(time, event) ~ x, reverse = TRUE)
  list(c = unname(k$concordance), se = sqrt(unname(k$var)), counts = as.list(k$count)) }
lr <- function(time, event, group, strata = NULL) {
  group <- factor(group, levels = sort(unique(as.character(group)), method = "radix")) # byte order, as in Go
  f <- if (is.null(strata)) survdiff(Surv(time, event) ~ group) else survdiff(Surv(time, event) ~ group + strata(strata))
  obs <- if (is.matrix(f$obs)) rowSums(f$obs) else f$obs; exp <- if (is.matrix(f$exp)) rowSums(f$exp) else f$exp
  list(chisq = f$chisq, p = pchisq(f$chisq, sum(exp > 0) - 1, lower.tail = FALSE), obs = obs, exp = exp)
}
write <- function(name, o) write_json(c(list(recipe = "oracles/survival_models.R", versions = list(R = as.character(getRversion()), survival = as.character(packageVersion("survival"))),
  tolerance = 1e-9, reason = "same closed forms in float64; coxph converged to 1e-11 in the likelihood, quadratically beyond that in the coefficients"), o), sprintf("survival/testdata/oracle/%s.json", name), digits = NA, auto_unbox = TRUE, na = "null")

d <- lung; d$event <- d$status - 1
write.csv(d[, c("time", "event", "age", "sex", "ph.ecog", "ph.karno", "wt.loss")], "survival/testdata/lung.csv", row.names = FALSE, quote = FALSE)
at <- c(0, 5, 11, 60, 180, 270, 365, 500, 883, 1022)
full <- d[complete.cases(d[, c("age", "sex", "ph.ecog", "ph.karno")]), ]
e <- d[!is.na(d$ph.ecog), ]
write("lung", list(km_log = km(d$time, d$event, "log", at), km_loglog = km(d$time, d$event, "log-log", at),
  km_women = km(d$time[d$sex == 2], d$event[d$sex == 2], "log", at), sex = lr(d$time, d$event, d$sex),
  ecog = lr(e$time, e$event, e$ph.ecog), sex_by_ecog = lr(e$time, e$event, e$sex, e$ph.ecog),
  cox = list(cox(d, "sex"), cox(d, c("age", "sex")), cox(full, c("age", "sex", "ph.ecog", "ph.karno"))), cox_rows = c(nrow(d), nrow(d), nrow(full)),
  age = conc(d$time, d$event, d$age), ecog_c = conc(e$time, e$event, e$ph.ecog)))

table_case <- function(name, d, vars, group, at) {
  h <- d$time; write(name, list(n = nrow(d), events = sum(d$event), km = km(d$time, d$event, "log", at), logrank = lr(d$time, d$event, d[[group]]),
    group = group, cox = cox(d, vars), score = vars[1], concordance = conc(d$time, d$event, d[[vars[1]]])))
}
g <- read.csv(file.path(data_dir, "survival/gbsg.csv")); g$time <- g$rfstime; g$event <- g$status
table_case("gbsg", g, c("nodes", "age", "size", "pgr", "hormon"), "grade", c(100, 500, 1000, 2000))
r <- read.csv(file.path(data_dir, "survival/rotterdam.csv")); r$time <- r$rtime; r$event <- r$recur
table_case("rotterdam", r, c("nodes", "age", "meno", "pgr", "chemo"), "size", c(100, 1000, 3000, 6000))
k <- read.csv(file.path(data_dir, "ki67-rfs/Ki67_patient_level_derived.csv")); k$time <- k$RECFREESURV_MO; k$event <- k$RECURRENCE
table_case("ki67", k, c("Marker_mean", "AGE_AT_DX", "Tstage"), "NodeSt", c(12, 36, 60, 120))
