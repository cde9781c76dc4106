  .cg_profile run, hot, 1000000
  .cg_profile hot, hotter, 2000000
  .cg_profile run, cold, 1
