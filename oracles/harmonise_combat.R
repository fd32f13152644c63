# ComBat of the same table by R's sva -> harmonise/testdata/oracle/sva.json. Run from the root after
# harmonise_combat.py: Rscript oracles/harmonise_combat.R (needs r-bioc-sva)
suppressMessages({library(jsonlite); library(sva)})
g <- fromJSON("harmonise/testdata/oracle/combat.json")
adjusted <- t(suppressMessages(ComBat(t(g$x), g$batch, mod = NULL, par.prior = TRUE)))
write_json(list(recipe = "oracles/harmonise_combat.R", versions = list(R = as.character(getRversion()), sva = as.character(packageVersion("sva"))),
  tolerance = 3e-3, reason = "sva stops at a relative change of 1e-4 and ignores the change of negative shifts; ours iterates to convergence",
  adjusted = round(adjusted, 6)), "harmonise/testdata/oracle/sva.json", digits = NA, auto_unbox = TRUE)
