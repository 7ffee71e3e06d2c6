"""A rebuild: a new edition of the store is filled from the bus beside the live one, compared with it, and made live.

begin      a new edition is made, or the one that was begun is taken up again (`seam.NewStore`)
fill       an engine writes what the bus holds into it (`seam.Engine`): correlators, or Spark
compare    both at one point of the bus (`meeting`), person by person and by digest (`comparing`)
switch     the new edition becomes the live one (`switching`); API and correlators that run go over to it
drop       the old edition is removed
"""
