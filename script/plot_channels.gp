# plot_channels.gp FIGURES - called by script/plot_channels.
figures = ARG1
set terminal svg size 900,560 dynamic enhanced font "sans-serif,13" background "white"
set grid lc rgb "#dddddd"
set key outside right top vertical Left reverse samplen 2 spacing 1.1 font ",11" noenhanced
set border 3
set tics nomirror out

# Blocks of a file: one for each way.
trips = figures.".trips.dat"
quantiles = figures.".quantiles.dat"
rates = figures.".rates.dat"
stats trips using 1 nooutput
blocks = STATS_blocks

set logscale xy
set format x "%.0f"
set xtics ("8 B" 8, "64 B" 64, "1 KiB" 1024, "64 KiB" 65536, "1 MiB" 1048576)
set xlabel "bytes of a message, filled and read"
set ylabel "round trip, median, microseconds"
set output "docs/internals/channels-round-trip.svg"
plot for [i=0:blocks-1] trips index i using 1:($2/1000) with linespoints \
    lw 1.5 ps 0.6 title columnheader(1)

set xlabel "share of the round trips that are quicker, 8 bytes"
set ylabel "microseconds"
set xtics ("50 %%" 2, "90 %%" 10, "99 %%" 100, "99.9 %%" 1000, "99.99 %%" 10000)
set output "docs/internals/channels-latency.svg"
plot for [i=0:blocks-1] quantiles index i using 1:($2/1000) with linespoints \
    lw 1.5 ps 0.6 title columnheader(1)

reset
set terminal svg size 900,640 dynamic enhanced font "sans-serif,13" background "white"
set style data histograms
set style fill solid 0.8 border -1
set boxwidth 0.9
set logscale y
set grid ytics lc rgb "#dddddd"
set border 3
set tics nomirror out
set xtics rotate by -50 font ",10" noenhanced
set key top right
set ylabel "million messages a second, one way"
set output "docs/internals/channels-stream-small.svg"
plot rates using ($2/1e6):xtic(1) title "8 B", "" using ($3/1e6) title "64 B", \
    "" using ($4/1e6) title "1 KiB"
set ylabel "GB a second, one way, filled and read"
unset logscale
set output "docs/internals/channels-stream-large.svg"
plot rates using ($5*65536/1e9):xtic(1) title "64 KiB", \
    "" using ($6*1048576/1e9) title "1 MiB"
