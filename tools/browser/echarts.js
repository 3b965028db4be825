// What of ECharts the HTML report draws with; see echarts.sh.
export {init} from "echarts/core";
import {use} from "echarts/core";
import {LineChart, BarChart, ScatterChart, HeatmapChart, ParallelChart} from "echarts/charts";
import {GridComponent, TooltipComponent, LegendComponent, VisualMapContinuousComponent, MarkLineComponent, ParallelComponent, AriaComponent} from "echarts/components";
import {CanvasRenderer} from "echarts/renderers";
use([LineChart, BarChart, ScatterChart, HeatmapChart, ParallelChart, GridComponent, TooltipComponent, LegendComponent, VisualMapContinuousComponent, MarkLineComponent, ParallelComponent, AriaComponent, CanvasRenderer]);
